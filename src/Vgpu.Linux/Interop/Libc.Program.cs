using System.Runtime.InteropServices;

namespace Vgpu.Linux.Interop;

// execve(2), flock(2).
internal static unsafe partial class Libc
{
    internal const int O_CREAT = 0x40;
    internal const int LOCK_EX = 2;
    internal const int LOCK_NB = 4;

    [LibraryImport(Library, EntryPoint = "execve", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Execve(string path, byte** arguments, byte** environment);

    [LibraryImport(Library, EntryPoint = "flock", SetLastError = true)]
    internal static partial int Flock(int fd, int operation);
}
