using Vgpu.Gpus.Shares;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>
/// The frame limiter of one head: a flush of what it shows is a frame, and so is another picture of ours put on it, with the flush that
/// follows. Device lock held.
/// </summary>
internal sealed class FramePace
{
    private readonly FrameLimiter _limiter = new();

    // The picture that was put on is shown, and its first flush says so.
    private bool _isNew;

    /// <summary>0: no limit.</summary>
    internal int FramesPerSecond
    {
        get => _limiter.FramesPerSecond;
        set => _limiter.FramesPerSecond = value;
    }

    /// <summary>When something of the picture may be flushed; not after <paramref name="now"/> where that is at once.</summary>
    internal long MayFlushAt(long now) => _isNew ? now : _limiter.MayShowAt(now);

    /// <summary>When another picture may be put on.</summary>
    internal long MayPutAt(long now) => _limiter.MayShowAt(now);

    internal void Flushed(long now)
    {
        if (!_isNew)
        {
            _limiter.Shown(now);
        }

        _isNew = false;
    }

    internal void Put(long now)
    {
        _limiter.Shown(now);
        _isNew = true;
    }
}
