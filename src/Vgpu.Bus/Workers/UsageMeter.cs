using Vgpu.Linux;

namespace Vgpu.Bus.Workers;

/// <summary>
/// What a vGPU has done since its instance was started, counted by its worker in a memory file that the daemon keeps: whoever
/// asks the daemon is answered with the numbers of that moment, and no worker is asked. A successor counts on where the worker
/// before it was, and the next daemon finds what the last one saw. Any thread.
/// </summary>
/// <remarks>The worker may be its guest's by now, and the numbers with it: they are shown, and nothing is decided by them.</remarks>
public sealed unsafe class UsageMeter : IDisposable
{
    /// <summary>The memory file's name, for <see cref="ServeRequest.Keep"/>.</summary>
    public const string FileName = "meter";

    // Of the layout: nobody reads another.
    private const int LayoutVersion = 1;
    private const ulong FileLength = 4096;

    // Different threads count: each number has a cache line to itself.
    private const int FramesAt = 64;
    private const int ViewedAt = 128;

    private readonly MemoryMapping _memory;

    /// <summary>
    /// Maps a file that <see cref="CreateFile"/> made, which stays the caller's. Throws <see cref="InvalidDataException"/> where it
    /// is none of this version, and <see cref="LinuxException"/>.
    /// </summary>
    public UsageMeter(FileDescriptor file)
    {
        if (!Suits(file))
        {
            throw new InvalidDataException("a meter has another length, or can be cut");
        }

        _memory = MemoryMapping.Share(file, 0, FileLength, MemoryProtection.ReadWrite);
        if (Volatile.Read(ref *(int*)_memory.Pointer) != LayoutVersion)
        {
            _memory.Dispose();
            throw new InvalidDataException("a meter is of another version");
        }
    }

    /// <summary>Frames that the guest has shown, of all heads together.</summary>
    public ulong Frames => (ulong)Volatile.Read(ref Counter(FramesAt));

    /// <summary>Bytes of pixels that were copied for viewers.</summary>
    public ulong ViewedBytes => (ulong)Volatile.Read(ref Counter(ViewedAt));

    /// <summary>A file with all counts at zero. Throws <see cref="LinuxException"/>.</summary>
    public static FileDescriptor CreateFile()
    {
        FileDescriptor file = MemFd.Create("vgpu-meter", FileLength);
        try
        {
            using var memory = MemoryMapping.Share(file, 0, FileLength, MemoryProtection.ReadWrite);
            *(int*)memory.Pointer = LayoutVersion;
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Whether a file has a meter's length, and for good. Throws <see cref="LinuxException"/>.</summary>
    public static bool Suits(FileDescriptor file) => file.Inspect().Size == FileLength && (MemFd.GetSeals(file) & Seals.F_SEAL_SHRINK) != 0;

    /// <summary>One more frame. Allocates nothing.</summary>
    public void CountFrame() => Interlocked.Increment(ref Counter(FramesAt));

    /// <summary>More pixels for viewers. Allocates nothing.</summary>
    public void CountViewed(long bytes) => Interlocked.Add(ref Counter(ViewedAt), bytes);

    /// <summary>Nobody counts any more.</summary>
    public void Dispose() => _memory.Dispose();

    // Sound: within the mapping, whose length was checked and can't change, and aligned.
    private ref long Counter(int at) => ref *(long*)(_memory.Pointer + at);
}
