using System.Globalization;
using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>
/// A moment in which the calling thread, and threads that it starts, come before others (nice(2), a thread's own value on
/// Linux; setpriority(2)). Where the process may not raise itself (CAP_SYS_NICE, RLIMIT_NICE) nothing happens.
/// </summary>
public sealed class Haste : IDisposable
{
    private const int Nice = -10;

    private readonly int _before = Libc.GetPriority(Libc.PRIO_PROCESS, 0);
    private readonly bool _isRaised;

    /// <summary>Begins it for the calling thread.</summary>
    public Haste() => _isRaised = _before > Nice && Libc.SetPriority(Libc.PRIO_PROCESS, 0, Nice) == 0;

    /// <summary>Ends it for all threads of the process that are in it. Any thread.</summary>
    public void Dispose()
    {
        if (!_isRaised)
        {
            return;
        }

        foreach (string task in Directory.EnumerateDirectories("/proc/self/task"))
        {
            int thread = int.Parse(Path.GetFileName(task), CultureInfo.InvariantCulture);
            if (Libc.GetPriority(Libc.PRIO_PROCESS, thread) == Nice)
            {
                // One that has ended meanwhile needs none.
                _ = Libc.SetPriority(Libc.PRIO_PROCESS, thread, _before);
            }
        }
    }
}
