// What a vGPU tells its owner, at a bounded rate.
using Vgpu.Screens;

namespace Vgpu.Gpus;

/// <summary>What a notice is about.</summary>
public enum VgpuNoticeKind
{
    /// <summary>A head shows another size, or something or nothing.</summary>
    ModeSet,

    /// <summary>The guest's driver or its machine has reset the vGPU.</summary>
    Reset,

    /// <summary>The guest asked for what can't be; the first of its kind, then one in ten seconds.</summary>
    GuestFault,

    /// <summary>The guest asked for more memory than it may use; the first, then one in ten seconds.</summary>
    QuotaRefused,

    /// <summary>The host's renderer has not come back for long from what the guest asked of it: only another process helps.</summary>
    RendererHung,
}

/// <summary>Something that the guest did.</summary>
/// <param name="Kind">What it is about.</param>
/// <param name="Text">One line for the operator, without the vGPU's name.</param>
public sealed record VgpuNotice(VgpuNoticeKind Kind, string Text)
{
    /// <summary>The head by index; -1: none in particular.</summary>
    public int Head { get; init; } = -1;

    /// <summary>What the head shows now.</summary>
    public DisplayMode? Mode { get; init; }

    /// <summary>Notices that were left out before this one, as there were too many.</summary>
    public long Missed { get; init; }
}

/// <summary>Where a device model leaves its notices. Any thread, whatever locks it holds.</summary>
public sealed class VgpuNotices
{
    private const int Burst = 32;
    private const int MillisecondsPerNotice = 250;

    private readonly Lock _lock = new();
    private int _left = Burst;
    private long _last = Environment.TickCount64;
    private long _missed;

    /// <summary>See <see cref="VgpuInstance.Noticed"/>.</summary>
    public event Action<VgpuNotice>? Raised;

    /// <summary>Raises it, or counts it where there were too many before.</summary>
    public void Report(VgpuNotice notice)
    {
        ArgumentNullException.ThrowIfNull(notice);
        long missed;
        lock (_lock)
        {
            long earned = (Environment.TickCount64 - _last) / MillisecondsPerNotice;
            _last += earned * MillisecondsPerNotice;
            _left = (int)Math.Min(Burst, _left + earned);
            if (_left == 0)
            {
                _missed++;
                return;
            }

            _left--;
            missed = _missed;
            _missed = 0;
        }

        Raised?.Invoke(notice with { Missed = missed });
    }
}
