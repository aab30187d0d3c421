using Vgpu.Linux;

namespace Vgpu.Vfio;

/// <summary>
/// Where a device gets the memory files that must outlive its process, such as a BAR that the client maps: whoever
/// implements it keeps them, and gives the same file to the device's successor.
/// </summary>
public interface IMemoryFiles
{
    /// <summary>
    /// The file of this name, made with <paramref name="size"/> bytes of zeros where there is none, and sealed so that it can't
    /// be made shorter. The caller disposes the descriptor; the file stays. Throws <see cref="LinuxException"/>. While a device
    /// is made.
    /// </summary>
    FileDescriptor Open(string name, ulong size);
}
