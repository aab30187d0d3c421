namespace Vgpu.Gpus.Shares;

/// <summary>
/// The frame rate limiter of one vGPU: when its next frame may be shown. Frames are counted against a clock that goes on at the
/// rate of the limit, so that what waiting too long costs one frame the next gains, by one frame at most. One thread; nothing here
/// blocks or allocates. Times as <see cref="IShareGate"/>'s.
/// </summary>
public sealed class FrameLimiter
{
    /// <summary>Of <see cref="FramesPerSecond"/>.</summary>
    public const int MaxFramesPerSecond = 1000;

    private long _due = long.MinValue / 2;
    private int _framesPerSecond;

    /// <summary>1 to <see cref="MaxFramesPerSecond"/>; 0: no limit. Throws <see cref="ArgumentOutOfRangeException"/>.</summary>
    public int FramesPerSecond
    {
        get => _framesPerSecond;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaxFramesPerSecond);
            _framesPerSecond = value;
        }
    }

    /// <summary>When the next frame may be shown; not after <paramref name="now"/> where that is at once.</summary>
    public long MayShowAt(long now) => _framesPerSecond == 0 ? now : Math.Min(_due, now + Interval);

    /// <summary>A frame was shown.</summary>
    public void Shown(long now)
    {
        if (_framesPerSecond != 0)
        {
            _due = Math.Max(Math.Min(_due, now), now - Interval) + Interval;
        }
    }

    private long Interval => 1_000_000_000 / _framesPerSecond;
}
