using Vgpu.Linux;
using Vgpu.Screens;

namespace Vgpu.Viewers.Feed;

// One head for all clients that follow it: one shadow of its picture, in memory that holds nothing else, is brought up to
// date when a client asks, and each client is told what it has not been told. The feed's thread.
internal sealed class HeadFeed : IDisposable
{
    // A guest may change its mode between the look at the size and the copy.
    private const int Attempts = 4;

    // A source that nobody asks looks for changes by itself while the head is observed; this is for who asks more often.
    private const int RefreshMilliseconds = 30;

    private readonly HeadWatch _watch;
    private readonly Action<long> _copied;
    private readonly List<FeedSubscription> _subscriptions = [];
    private readonly DamageRegion _stale = new(FeedProtocol.MaxRects);
    private IDisposable? _observation;
    private bool _isSurfaceNew;
    private long _refreshAgain;

    internal HeadFeed(Head head, Bell wake, Action<long> copied)
    {
        Head = head;
        _copied = copied;
        _watch = new HeadWatch(head, wake);
    }

    internal Head Head { get; }

    /// <summary>The picture, as of the last <see cref="TryUpdate"/>; null: nothing is shown.</summary>
    internal Surface? Shadow { get; private set; }

    /// <summary>Another shadow, or none, has another number; never 0.</summary>
    internal ulong Version { get; private set; } = 1;

    /// <summary>A client waits for the next event.</summary>
    internal bool IsAwaited
    {
        get
        {
            foreach (FeedSubscription subscription in _subscriptions)
            {
                if (subscription.Request is not null && !subscription.MayHaveNews)
                {
                    return true;
                }
            }

            return false;
        }
    }

    internal FeedSubscription Subscribe()
    {
        var subscription = new FeedSubscription(this);
        _subscriptions.Add(subscription);
        return subscription;
    }

    internal void Unsubscribe(FeedSubscription subscription)
    {
        _subscriptions.Remove(subscription);
        Follow();
    }

    /// <summary>Observes the head exactly while one of the subscriptions follows.</summary>
    internal void Follow()
    {
        bool isFollowed = false;
        foreach (FeedSubscription subscription in _subscriptions)
        {
            isFollowed |= subscription.IsFollowing;
        }

        if (isFollowed && _observation is null)
        {
            _isSurfaceNew = true;
            _observation = Head.Observe(_watch);
        }
        else if (!isFollowed && _observation is not null)
        {
            _observation.Dispose();
            _observation = null;
            DropShadow();
        }
    }

    /// <summary>Somebody asks: a source whose changes nobody announces is asked too, not too often.</summary>
    internal void Refresh(long now)
    {
        if (Head.FrameSource is { } source && now >= _refreshAgain)
        {
            source.Refresh();
            _refreshAgain = now + RefreshMilliseconds;
        }
    }

    /// <summary>Takes what has happened, and notes for each subscription what it has to be told.</summary>
    internal void Collect()
    {
        if (!_watch.Take(out DamageRegion damage, out bool isSurfaceNew))
        {
            return;
        }

        bool isFollowed = _observation is not null;
        _isSurfaceNew |= isSurfaceNew && isFollowed;
        foreach (Rect rect in isFollowed ? damage.Rects : [])
        {
            _stale.Add(rect);
        }

        foreach (FeedSubscription subscription in _subscriptions)
        {
            subscription.Note(damage, isSurfaceNew);
        }
    }

    /// <summary>The next event wakes the feed's thread; false where there is one already.</summary>
    internal bool Arm() => _watch.Arm();

    /// <summary>
    /// Brings the shadow up to date. EAGAIN: the mode would not stay, and the next event says that it has changed; others
    /// where there is no memory or descriptor for a shadow. Allocates nothing while the mode stays.
    /// </summary>
    internal Errno TryUpdate()
    {
        for (int i = 0; i < Attempts; i++)
        {
            if (_isSurfaceNew && TryMakeShadow() is Errno error and not Errno.None)
            {
                return error;
            }

            if (TryCopyStale())
            {
                return Errno.None;
            }

            _isSurfaceNew = true;
        }

        return Errno.EAGAIN;
    }

    public void Dispose()
    {
        _observation?.Dispose();
        _watch.Dispose();
        DropShadow();
    }

    private Errno TryMakeShadow()
    {
        HeadState state = Head.State;
        if ((Shadow?.Width ?? 0, Shadow?.Height ?? 0) != (state.Width, state.Height))
        {
            DropShadow();
            try
            {
                Shadow = state.Width == 0 ? null : Surface.Create("vgpu-feed", state.Width, state.Height, PixelFormat.B8G8R8X8);
            }
            catch (LinuxException e)
            {
                return e.Errno;
            }
        }

        _isSurfaceNew = false;
        _stale.Clear();
        _stale.Add(Shadow?.Bounds ?? default);
        return Errno.None;
    }

    private bool TryCopyStale()
    {
        if (Shadow is not null)
        {
            foreach (Rect rect in _stale.Rects)
            {
                if (!Head.TryCopy(rect, Shadow))
                {
                    return false;
                }

                _copied((long)rect.Width * rect.Height * Surface.BytesPerPixel);
            }
        }

        _stale.Clear();
        return true;
    }

    private void DropShadow()
    {
        Shadow?.Dispose();
        Shadow = null;
        Version++;
        _stale.Clear();
    }
}
