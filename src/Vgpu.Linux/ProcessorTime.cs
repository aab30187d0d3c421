using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>Processor time as the kernel counts it: the process's own clock (clock_getcpuclockid(3)). Any thread.</summary>
public static unsafe class ProcessorTime
{
    private const int MaxPid = 1 << 22;

    /// <summary>
    /// Nanoseconds that all threads of a process have run, in user mode and in the kernel; null where there is no such process. A
    /// number may be given to another process: hold its <see cref="PidFd"/> where that matters.
    /// </summary>
    public static ulong? Of(int pid)
    {
        // Beyond what the kernel gives (PID_MAX_LIMIT) a number becomes the clock of another process, or of none.
        if (pid is <= 0 or > MaxPid)
        {
            return null;
        }

        int clock;
        Libc.TimeSpec time;
        return Libc.ClockGetCpuClockId(pid, &clock) == 0 && Libc.ClockGetTime(clock, &time) == 0
            ? ((ulong)time.Seconds * 1_000_000_000) + (ulong)time.Nanoseconds
            : null;
    }
}
