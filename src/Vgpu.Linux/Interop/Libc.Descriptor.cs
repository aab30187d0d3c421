using System.Runtime.InteropServices;

namespace Vgpu.Linux.Interop;

// open(2), close(2), fcntl(2), statx(2), fstatfs(2), ftruncate(2), read(2), write(2), chmod(2), unlink(2).
internal static unsafe partial class Libc
{
    private const string Library = "libc";

    internal const int O_RDONLY = 0;
    internal const int O_RDWR = 2;
    internal const int O_ACCMODE = 3;
    internal const int O_CLOEXEC = 0x80000;
    internal const int O_PATH = 0x200000;
    internal const int F_GETFL = 3;
    internal const int F_DUPFD = 0;
    internal const int F_DUPFD_CLOEXEC = 1030;
    internal const int F_ADD_SEALS = 1033;
    internal const int F_GET_SEALS = 1034;
    internal const int AT_EMPTY_PATH = 0x1000;
    internal const uint STATX_BASIC_STATS = 0x7ff;

    // struct statx of linux/stat.h; the same layout on every architecture.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct Statx
    {
        [FieldOffset(4)] internal uint BlockSize;
        [FieldOffset(28)] internal ushort Mode;
        [FieldOffset(32)] internal ulong Inode;
        [FieldOffset(40)] internal ulong Size;
        [FieldOffset(48)] internal ulong Blocks;
        [FieldOffset(136)] internal uint DeviceMajor;
        [FieldOffset(140)] internal uint DeviceMinor;
    }

    // The numbers of <asm/unistd.h>; see Libc.Aio.cs.
    private static readonly nint SYS_fstat = IsX64 ? 5 : 80;
    private static readonly nint SYS_fcntl = IsX64 ? 72 : 25;

    // struct stat of 64-bit kernels, as far as x86-64's is as all others' (asm/stat.h).
    [StructLayout(LayoutKind.Explicit, Size = 144)]
    internal struct Stat
    {
        [FieldOffset(0)] internal ulong Device;
        [FieldOffset(8)] internal ulong Inode;
        [FieldOffset(48)] internal ulong Size;
    }

    // struct statfs of 64-bit kernels (asm-generic/statfs.h).
    [StructLayout(LayoutKind.Explicit, Size = 120)]
    internal struct Statfs
    {
        [FieldOffset(0)] internal long Type;
        [FieldOffset(8)] internal long BlockSize;
    }

    // Both: a negative result is an error number, negated.
    internal static nint FStat(int fd, Stat* result) => OrError(Syscall6(SYS_fstat, fd, (nint)result, 0, 0, 0, 0));

    internal static int GetFlags(int fd) => (int)OrError(Syscall6(SYS_fcntl, fd, F_GETFL, 0, 0, 0, 0));

    [LibraryImport(Library, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Open(string path, int flags, int mode);

    [LibraryImport(Library, EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int fd);

    [LibraryImport(Library, EntryPoint = "fcntl", SetLastError = true)]
    internal static partial int Fcntl(int fd, int command, nint argument);

    [LibraryImport(Library, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int StatxAt(int directory, string path, int flags, uint mask, Statx* result);

    [LibraryImport(Library, EntryPoint = "fstatfs", SetLastError = true)]
    internal static partial int FStatfs(int fd, Statfs* result);

    [LibraryImport(Library, EntryPoint = "ftruncate", SetLastError = true)]
    internal static partial int FTruncate(int fd, long length);

    [LibraryImport(Library, EntryPoint = "read", SetLastError = true)]
    internal static partial nint Read(int fd, void* buffer, nuint count);

    [LibraryImport(Library, EntryPoint = "write", SetLastError = true)]
    internal static partial nint Write(int fd, void* buffer, nuint count);

    [LibraryImport(Library, EntryPoint = "chmod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Chmod(string path, uint mode);

    [LibraryImport(Library, EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Unlink(string path);
}
