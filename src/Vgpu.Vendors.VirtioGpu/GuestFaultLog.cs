// What a guest got wrong, in the operator's log at a bounded rate; the vGPU's owner hears of it too.
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Vgpu.Gpus;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>
/// One line every ten seconds at most, with how many were left out. A notice for each, and for the first of each kind. Used with
/// the device's lock held.
/// </summary>
internal sealed partial class GuestFaultLog(VgpuNotices notices)
{
    private const int MaxKinds = 64;

    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(10);

    private readonly HashSet<(uint Command, uint Response)> _known = [];
    private long _last;
    private long _suppressed;

    /// <summary>A command of this type (0: unreadable) was answered with this error.</summary>
    internal void Report(ILogger log, uint command, uint response)
    {
        bool isNew = _known.Count < MaxKinds && _known.Add((command, response));
        long now = Stopwatch.GetTimestamp();
        bool isDue = _last == 0 || Stopwatch.GetElapsedTime(_last, now) >= _interval;
        if (isNew || isDue)
        {
            bool isQuota = response == VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
            notices.Report(new VgpuNotice(
                isQuota ? VgpuNoticeKind.QuotaRefused : VgpuNoticeKind.GuestFault,
                $"command 0x{command:x4} was answered with {(isQuota ? "OUT_OF_MEMORY" : $"error 0x{response:x4}")}"));
        }

        if (!isDue)
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
