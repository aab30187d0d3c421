using System.Runtime.InteropServices;

namespace Vgpu.Linux.Interop;

// setsid(2), and pidfd_open(2) and pidfd_send_signal(2), which libc does not wrap everywhere.
internal static partial class Libc
{
    internal const int SIGKILL = 9;
    internal const int SIGCONT = 18;

    // The same number on every architecture (asm-generic/unistd.h).
    internal const nint SYS_pidfd_send_signal = 424;
    internal const nint SYS_pidfd_open = 434;

    [LibraryImport(Library, EntryPoint = "setsid", SetLastError = true)]
    internal static partial int SetSid();
}
