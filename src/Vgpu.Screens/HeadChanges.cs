namespace Vgpu.Screens;

/// <summary>
/// Wakes one thread when anything is new on a head. Whoever draws may still be telling of it when this is disposed of, and is not
/// disturbed then.
/// </summary>
public sealed class HeadChanges : IHeadObserver, IDisposable
{
    private readonly Lock _lock = new();
    private readonly AutoResetEvent _changed = new(false);
    private readonly IDisposable _observation;
    private readonly bool _withCursor;
    private bool _isGone;

    /// <summary>Observes <paramref name="head"/> from now on; <paramref name="withCursor"/>: its cursor too.</summary>
    public HeadChanges(Head head, bool withCursor = true)
    {
        ArgumentNullException.ThrowIfNull(head);
        _withCursor = withCursor;
        _observation = head.Observe(this);
    }

    /// <summary>Set by the next change; a wait takes it. The thread that waits, until it disposes of this.</summary>
    public WaitHandle Changed => _changed;

    void IHeadObserver.SurfaceChanged(Head head) => Tell();

    void IHeadObserver.Damaged(Head head, Rect rect) => Tell();

    void IHeadObserver.CursorChanged(Head head)
    {
        if (_withCursor)
        {
            Tell();
        }
    }

    public void Dispose()
    {
        _observation.Dispose();
        lock (_lock)
        {
            _isGone = true;
            _changed.Dispose();
        }
    }

    private void Tell()
    {
        lock (_lock)
        {
            if (!_isGone)
            {
                _ = _changed.Set();
            }
        }
    }
}
