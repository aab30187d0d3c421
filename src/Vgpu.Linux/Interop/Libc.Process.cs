using System.Runtime.InteropServices;

namespace Vgpu.Linux.Interop;

// setsid(2), clock_getcpuclockid(3) and clock_gettime(2), and pidfd_open(2) and pidfd_send_signal(2), which libc does not wrap
// everywhere.
internal static unsafe partial class Libc
{
    internal const int SIGKILL = 9;
    internal const int SIGCONT = 18;

    // The same number on every architecture (asm-generic/unistd.h).
    internal const nint SYS_pidfd_send_signal = 424;
    internal const nint SYS_pidfd_open = 434;

    [LibraryImport(Library, EntryPoint = "setsid", SetLastError = true)]
    internal static partial int SetSid();

    // struct timespec of 64-bit kernels.
    [StructLayout(LayoutKind.Sequential)]
    internal struct TimeSpec
    {
        internal long Seconds;
        internal long Nanoseconds;
    }

    // Returns an error number, and sets none.
    [LibraryImport(Library, EntryPoint = "clock_getcpuclockid")]
    internal static partial int ClockGetCpuClockId(int pid, int* clock);

    [LibraryImport(Library, EntryPoint = "clock_gettime", SetLastError = true)]
    internal static partial int ClockGetTime(int clock, TimeSpec* time);
}
