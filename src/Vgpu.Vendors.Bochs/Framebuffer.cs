using Vgpu.Linux;
using Vgpu.Vfio;

namespace Vgpu.Vendors.Bochs;

// The video memory: a memory file that the guest maps through BAR 0 and writes as it likes, and our own view of it. Sealed
// against every resize, and against further seals, which a client could add to keep the next one out.
internal sealed unsafe class Framebuffer : IDisposable
{
    private readonly MemoryMapping _mapping;

    // A file that outlives the process is its keeper's to seal.
    internal Framebuffer(string name, ulong size, IMemoryFiles? files = null)
    {
        File = files?.Open("bar0", size) ?? MemFd.Create(name, size, Seals.F_SEAL_SHRINK | Seals.F_SEAL_GROW | Seals.F_SEAL_SEAL);
        try
        {
            if (File.Inspect().Size < size || (MemFd.GetSeals(File) & Seals.F_SEAL_SHRINK) == 0)
            {
                throw new ArgumentException($"the memory file of BAR 0 is shorter than {size} bytes, or can be made so");
            }

            _mapping = MemoryMapping.Share(File, 0, size, MemoryProtection.ReadWrite);
        }
        catch
        {
            File.Dispose();
            throw;
        }
    }

    internal FileDescriptor File { get; }

    internal ulong Size => _mapping.Length;

    /// <summary>The bytes of one row of a mode, as they are at this moment: the guest may change them during any use.</summary>
    // Sound: a mode lies within the memory, and whoever reads holds the lock that Dispose is called with.
    internal ReadOnlySpan<byte> Row(in DispiMode mode, int y) =>
        new(_mapping.Pointer + mode.Offset + ((ulong)y * (ulong)mode.Stride), mode.Width * mode.BytesPerPixel);

    /// <summary>All zeros again, without a page.</summary>
    internal void Clear() => FileHole.Punch(File, 0, Size);

    public void Dispose()
    {
        _mapping.Dispose();
        File.Dispose();
    }
}
