using System.Runtime.InteropServices;

namespace Vgpu.Linux.Interop;

// socket(2) and its family for AF_UNIX, with SCM_RIGHTS (unix(7), cmsg(3)).
internal static unsafe partial class Libc
{
    internal const int AF_UNIX = 1;
    internal const int SOCK_STREAM = 1;
    internal const int SOCK_CLOEXEC = 0x80000;
    internal const int SOL_SOCKET = 1;
    internal const int SO_PEERCRED = 17;
    internal const int SO_PEERGROUPS = 59;
    internal const int SCM_RIGHTS = 1;
    internal const int SO_RCVTIMEO = 20;
    internal const int SO_SNDTIMEO = 21;
    internal const int SO_PEEK_OFF = 42;
    internal const int MSG_PEEK = 2;
    internal const int MSG_CTRUNC = 8;
    internal const int MSG_DONTWAIT = 0x40;
    internal const int MSG_NOSIGNAL = 0x4000;
    internal const int MSG_CMSG_CLOEXEC = 0x40000000;
    internal const int SHUT_RDWR = 2;
    internal const int SunPathLength = 108;

    // The numbers of <asm/unistd.h>; see Libc.Aio.cs.
    internal const nint FIONREAD = 0x541b;
    internal static readonly nint SYS_ioctl = IsX64 ? 16 : 29;
    private static readonly nint SYS_sendto = IsX64 ? 44 : 206;
    private static readonly nint SYS_sendmsg = IsX64 ? 46 : 211;
    private static readonly nint SYS_recvmsg = IsX64 ? 47 : 212;
    private static readonly nint SYS_recvmmsg = IsX64 ? 299 : 243;
    private static readonly nint SYS_sendmmsg = IsX64 ? 307 : 269;

    [StructLayout(LayoutKind.Sequential)]
    internal struct IoVec
    {
        internal void* Base;
        internal nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct MsgHdr
    {
        internal void* Name;
        internal uint NameLength;
        internal IoVec* Iov;
        internal nuint IovLength;
        internal void* Control;
        internal nuint ControlLength;
        internal int Flags;
    }

    // struct mmsghdr: the kernel stores the count itself, before the call returns.
    [StructLayout(LayoutKind.Sequential)]
    internal struct MMsgHdr
    {
        internal MsgHdr Message;
        internal uint Count;
    }

    // struct timeval.
    [StructLayout(LayoutKind.Sequential)]
    internal struct TimeVal
    {
        internal long Seconds;
        internal long Microseconds;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct CMsgHdr
    {
        internal nuint Length;
        internal int Level;
        internal int Type;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct UCred
    {
        internal int Pid;
        internal uint Uid;
        internal uint Gid;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct SockAddrUn
    {
        internal ushort Family;
        internal fixed byte Path[SunPathLength];
    }

    [LibraryImport(Library, EntryPoint = "socket", SetLastError = true)]
    internal static partial int Socket(int domain, int type, int protocol);

    [LibraryImport(Library, EntryPoint = "socketpair", SetLastError = true)]
    internal static partial int SocketPair(int domain, int type, int protocol, int* pair);

    [LibraryImport(Library, EntryPoint = "bind", SetLastError = true)]
    internal static partial int Bind(int fd, SockAddrUn* address, uint length);

    [LibraryImport(Library, EntryPoint = "listen", SetLastError = true)]
    internal static partial int Listen(int fd, int backlog);

    [LibraryImport(Library, EntryPoint = "accept4", SetLastError = true)]
    internal static partial int Accept4(int fd, void* address, uint* length, int flags);

    [LibraryImport(Library, EntryPoint = "connect", SetLastError = true)]
    internal static partial int Connect(int fd, SockAddrUn* address, uint length);

    // The data path goes past libc's own functions: they are cancellation points, which costs two locked instructions a
    // call, and all that they do besides is this. A negative result is an error number, negated.
    internal static nint RecvMsg(int fd, MsgHdr* message, int flags) =>
        OrError(Syscall6(SYS_recvmsg, fd, (nint)message, flags, 0, 0, 0));

    internal static nint SendMsg(int fd, MsgHdr* message, int flags) =>
        OrError(Syscall6(SYS_sendmsg, fd, (nint)message, flags, 0, 0, 0));

    // Messages done, or a negative error number.
    internal static nint RecvMMsg(int fd, MMsgHdr* messages, int count, int flags) =>
        OrError(Syscall6(SYS_recvmmsg, fd, (nint)messages, count, flags, 0, 0));

    internal static nint SendMMsg(int fd, MMsgHdr* messages, int count, int flags) =>
        OrError(Syscall6(SYS_sendmmsg, fd, (nint)messages, count, flags, 0, 0));

    internal static nint Send(int fd, void* bytes, nuint length, int flags) =>
        OrError(Syscall6(SYS_sendto, fd, (nint)bytes, (nint)length, flags, 0, 0));

    [LibraryImport(Library, EntryPoint = "shutdown", SetLastError = true)]
    internal static partial int Shutdown(int fd, int how);

    [LibraryImport(Library, EntryPoint = "getsockopt", SetLastError = true)]
    internal static partial int GetSockOpt(int fd, int level, int option, void* value, uint* length);

    [LibraryImport(Library, EntryPoint = "setsockopt", SetLastError = true)]
    internal static partial int SetSockOpt(int fd, int level, int option, void* value, uint length);
}
