using System.Runtime.InteropServices;

namespace Vgpu.Linux.Interop;

// setsid(2), getpriority(2), setpriority(2), and pidfd_open(2) and pidfd_send_signal(2), which libc does not wrap everywhere.
internal static partial class Libc
{
    internal const int SIGKILL = 9;
    internal const int SIGCONT = 18;

    // The same number on every architecture (asm-generic/unistd.h).
    internal const nint SYS_pidfd_send_signal = 424;
    internal const nint SYS_pidfd_open = 434;

    // What is named by 0 is the calling thread: nice values are a thread's on Linux.
    internal const int PRIO_PROCESS = 0;

    [LibraryImport(Library, EntryPoint = "getpriority", SetLastError = true)]
    internal static partial int GetPriority(int which, int who);

    [LibraryImport(Library, EntryPoint = "setpriority", SetLastError = true)]
    internal static partial int SetPriority(int which, int who, int nice);

    [LibraryImport(Library, EntryPoint = "setsid", SetLastError = true)]
    internal static partial int SetSid();
}
