using Vgpu.Linux;

namespace Vgpu.Viewers.Feed;

// A received descriptor must be what it is said to be, or a read could fault or wait.
internal static class FeedFile
{
    /// <summary>Whether it is sealed memory that holds <paramref name="length"/> bytes for ever. Throws <see cref="LinuxException"/>.</summary>
    internal static bool IsSound(FileDescriptor file, ulong length, Seals needed)
    {
        FileFacts facts = file.Inspect();
        return facts is { IsRegularFile: true, IsMemory: true, IsHugeTlb: false, IsReadable: true } && facts.Size >= length
            && (MemFd.GetSeals(file) & needed) == needed;
    }
}
