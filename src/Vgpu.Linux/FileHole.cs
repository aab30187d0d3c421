using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>Holes in files: fallocate(2) with FALLOC_FL_PUNCH_HOLE, lseek(2) with SEEK_DATA and SEEK_HOLE.</summary>
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

    /// <summary>
    /// Finds the first part from <paramref name="offset"/> on that is not a hole: [<paramref name="start"/>,
    /// <paramref name="end"/>), in bytes. False: there is none before the end of the file. Moves the file's offset, which
    /// nobody who maps it uses. Throws <see cref="LinuxException"/>.
    /// </summary>
    public static bool TryFindData(FileDescriptor file, ulong offset, out ulong start, out ulong end)
    {
        start = end = offset;
        long data = Libc.LSeek(file.Number, checked((long)offset), Libc.SEEK_DATA);
        if (data < 0)
        {
            LinuxException error = LinuxException.Last("lseek");
            return error.Errno == Errno.ENXIO ? false : throw error;
        }

        long hole = Libc.LSeek(file.Number, data, Libc.SEEK_HOLE);
        start = (ulong)data;
        end = hole < 0 ? throw LinuxException.Last("lseek") : (ulong)hole;
        return true;
    }
}
