using Vgpu.Screens;

namespace Vgpu.Viewers.Feed;

// What happened on a head since the feed's thread last looked. Recorded on whatever thread it happened on, which allocates
// nothing, waits for nobody and wakes the feed only where that has said that it waits.
internal sealed class HeadWatch : IHeadObserver, IDisposable
{
    private readonly Lock _lock = new();
    private readonly Head _head;
    private readonly Bell _wake;
    private DamageRegion _damage = new(FeedProtocol.MaxRects);
    private DamageRegion _taken = new(FeedProtocol.MaxRects);
    private bool _isAnything;
    private bool _isSurfaceNew;
    private bool _isArmed;

    internal HeadWatch(Head head, Bell wake)
    {
        _head = head;
        _wake = wake;
        head.PreferredModeChanged += OnStateChanged;
        head.ModeSet += OnStateChanged;
    }

    public void SurfaceChanged(Head head) => Record(default, isSurfaceNew: true);

    public void Damaged(Head head, Rect rect) => Record(rect, isSurfaceNew: false);

    public void CursorChanged(Head head) => Record(default, isSurfaceNew: false);

    public void Dispose()
    {
        _head.PreferredModeChanged -= OnStateChanged;
        _head.ModeSet -= OnStateChanged;
    }

    /// <summary>Takes the record; false where nothing has happened. <paramref name="damage"/> is valid until the next call.</summary>
    internal bool Take(out DamageRegion damage, out bool isSurfaceNew)
    {
        lock (_lock)
        {
            _isArmed = false;
            damage = _damage;
            isSurfaceNew = _isSurfaceNew;
            if (!_isAnything)
            {
                return false;
            }

            (_damage, _taken) = (_taken, _damage);
            _damage.Clear();
            (_isAnything, _isSurfaceNew) = (false, false);
            return true;
        }
    }

    /// <summary>The next event wakes the feed; false where there is one already.</summary>
    internal bool Arm()
    {
        lock (_lock)
        {
            _isArmed = !_isAnything;
            return _isArmed;
        }
    }

    private void OnStateChanged(Head head) => Record(default, isSurfaceNew: false);

    private void Record(Rect rect, bool isSurfaceNew)
    {
        bool wake;
        lock (_lock)
        {
            if (isSurfaceNew)
            {
                _damage.Clear();
                _isSurfaceNew = true;
            }

            _damage.Add(rect);
            _isAnything = true;
            wake = _isArmed;
            _isArmed = false;
        }

        if (wake)
        {
            _wake.Ring();
        }
    }
}
