using System.Runtime.InteropServices;
using Vgpu.Linux;

namespace Vgpu.Bus.Disk;

/// <summary>What the operator reads when a disk refuses: which file, why, and what mends it.</summary>
internal static class DiskTrouble
{
    private const int EROFS = 30;
    private const int EDQUOT = 122;

    /// <summary>Whether this is one: what System.IO and <see cref="LinuxException"/> throw.</summary>
    internal static bool Is(Exception failure) => failure is IOException or UnauthorizedAccessException;

    internal static BusException Of(string doing, string path, Exception failure)
    {
        int errno = failure switch
        {
            LinuxException linux => (int)linux.Errno,
            UnauthorizedAccessException { InnerException: IOException inner } => inner.HResult,
            UnauthorizedAccessException => (int)Errno.EACCES,
            DirectoryNotFoundException or FileNotFoundException => (int)Errno.ENOENT,
            _ => failure.HResult,
        };
        string reason = errno is > 0 and < 4096 ? Marshal.GetPInvokeErrorMessage(errno) : OneLine.Of(failure.Message);
        string mend = errno switch
        {
            (int)Errno.ENOSPC or EDQUOT => "free some space there and try again",
            EROFS => "mount it writable, or give the daemon another folder",
            (int)Errno.EACCES or (int)Errno.EPERM => $"let the user {Environment.UserName} write there",
            (int)Errno.ENOTDIR or (int)Errno.EEXIST => "move away what stands where a folder belongs",
            (int)Errno.EMFILE or (int)Errno.ENFILE => "raise the daemon's limit of open files",
            _ => "look after that disk and try again",
        };
        return new BusException(BusError.Failed, $"can't {doing} {path}: {reason}; {mend}", failure);
    }
}
