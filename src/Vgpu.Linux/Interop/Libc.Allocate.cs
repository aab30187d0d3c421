using System.Runtime.InteropServices;

namespace Vgpu.Linux.Interop;

// fallocate(2).
internal static unsafe partial class Libc
{
    internal const int FALLOC_FL_KEEP_SIZE = 1;
    internal const int FALLOC_FL_PUNCH_HOLE = 2;

    [LibraryImport(Library, EntryPoint = "fallocate", SetLastError = true)]
    internal static partial int FAllocate(int fd, int mode, long offset, long length);
}
