using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>Processor time as the kernel counts it: the process's own clock (clock_getcpuclockid(3)). Any thread.</summary>
public static unsafe class ProcessorTime
{
    // PID_MAX_LIMIT of 64-bit kernels (linux/threads.h): libc makes other clocks of larger numbers.
    private const int MaxPid = 1 << 22;

    /// <summary>
    /// Nanoseconds that all threads of a process have run, in user mode and in the kernel; null where there is no such process. A
    /// number may be given to another process: hold its <see cref="PidFd"/> where that matters.
    /// </summary>
    public static ulong? Of(int pid)
    {
        int clock;
        Libc.TimeSpec time;
        return pid is > 0 and <= MaxPid && Libc.ClockGetCpuClockId(pid, &clock) == 0 && Libc.ClockGetTime(clock, &time) == 0
            ? ((ulong)time.Seconds * 1_000_000_000) + (ulong)time.Nanoseconds
            : null;
    }
}
