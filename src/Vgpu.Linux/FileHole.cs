using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>Holes in files: fallocate(2) with FALLOC_FL_PUNCH_HOLE.</summary>
public static class FileHole
{
    /// <summary>
    /// Makes the range read as zeros and gives its whole pages back, in every mapping of the file too. The size stays.
    /// Throws <see cref="LinuxException"/> (EPERM: sealed against writing).
    /// </summary>
    public static void Punch(FileDescriptor file, ulong offset, ulong length)
    {
        if (Libc.FAllocate(file.Number, Libc.FALLOC_FL_PUNCH_HOLE | Libc.FALLOC_FL_KEEP_SIZE, checked((long)offset), checked((long)length)) < 0)
        {
            throw LinuxException.Last("fallocate");
        }
    }
}
