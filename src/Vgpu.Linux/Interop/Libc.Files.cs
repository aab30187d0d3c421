using System.Runtime.InteropServices;

namespace Vgpu.Linux.Interop;

// fsync(2), rename(2), inotify(7).
internal static unsafe partial class Libc
{
    internal const int O_NONBLOCK = 0x800;
    internal const int IN_NONBLOCK = 0x800;
    internal const int IN_CLOEXEC = 0x80000;
    internal const int ELOOP = 40;
    internal const uint IN_ATTRIB = 0x4;
    internal const uint IN_CLOSE_WRITE = 0x8;
    internal const uint IN_MOVED_FROM = 0x40;
    internal const uint IN_MOVED_TO = 0x80;
    internal const uint IN_CREATE = 0x100;
    internal const uint IN_DELETE = 0x200;
    internal const uint IN_DELETE_SELF = 0x400;
    internal const uint IN_MOVE_SELF = 0x800;

    // Differs between architectures: arch/arm64/include/uapi/asm/fcntl.h.
    internal static readonly int O_NOFOLLOW = IsX64 ? 0x20000 : 0x8000;

    // struct inotify_event of linux/inotify.h; the name follows.
    [StructLayout(LayoutKind.Sequential)]
    internal struct InotifyEvent
    {
        internal int Watch;
        internal uint Mask;
        internal uint Cookie;
        internal uint Length;
    }

    [LibraryImport(Library, EntryPoint = "fsync", SetLastError = true)]
    internal static partial int FSync(int fd);

    [LibraryImport(Library, EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Rename(string from, string to);

    [LibraryImport(Library, EntryPoint = "inotify_init1", SetLastError = true)]
    internal static partial int InotifyInit(int flags);

    [LibraryImport(Library, EntryPoint = "inotify_add_watch", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int InotifyAddWatch(int fd, string path, uint mask);
}
