// What a guest got wrong, in the operator's log at a bounded rate.
using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>One line every ten seconds at most, with how many were left out. Used with the device's lock held.</summary>
internal sealed partial class GuestFaultLog
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(10);

    private long _last;
    private long _suppressed;

    /// <summary>A command of this type (0: unreadable) was answered with this error.</summary>
    internal void Report(ILogger log, uint command, uint response)
    {
        long now = Stopwatch.GetTimestamp();
        if (_last != 0 && Stopwatch.GetElapsedTime(_last, now) < _interval)
        {
            _suppressed++;
            return;
        }

        Refused(log, command, response, _suppressed);
        _last = now;
        _suppressed = 0;
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The guest's command 0x{Command:x4} was answered with error 0x{Response:x4} "
            + "({Suppressed} more since the last such line)")]
    private static partial void Refused(ILogger log, uint command, uint response, long suppressed);
}
