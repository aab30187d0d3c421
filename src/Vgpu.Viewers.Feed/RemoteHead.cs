using Vgpu.Screens;

namespace Vgpu.Viewers.Feed;

// What viewers want of a mirrored head: seen by the mirror's thread, wanted on theirs. Outlives connections.
internal sealed class RemoteHead : IFrameSource, IDisposable
{
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(2);

    private readonly object _gate = new();
    private readonly Bell _wake;
    private DisplayMode? _wanted;
    private DisplayMode? _told;
    private DisplayMode? _sent;
    private bool _isConnected;
    private bool _isLive;
    private long _asked;
    private long _done;

    internal RemoteHead(Head head, Bell wake)
    {
        Head = head;
        _wake = wake;
        head.FrameSource = this;
        head.PreferredModeChanged += OnPreferredModeChanged;
        head.ObservationChanged += OnObservationChanged;
    }

    internal Head Head { get; }

    /// <summary>The mirror's thread, which changes the head on behalf of the other side.</summary>
    internal int Owner { get; set; }

    /// <summary>Captures asked for so far.</summary>
    internal long Asked
    {
        get
        {
            lock (_gate)
            {
                return _asked;
            }
        }
    }

    /// <summary>Somebody wants a picture once.</summary>
    internal bool IsCaptureWanted
    {
        get
        {
            lock (_gate)
            {
                return _asked > _done;
            }
        }
    }

    /// <summary>
    /// A capture: waits, not for long, until the picture is of now, unless it is so all the time because somebody observes
    /// it. A picture that does not come is the last one.
    /// </summary>
    public void Refresh()
    {
        if (Environment.CurrentManagedThreadId == Owner)
        {
            return;
        }

        long deadline = Environment.TickCount64 + (long)s_longest.TotalMilliseconds;
        lock (_gate)
        {
            if (!_isConnected || (_isLive && Head.IsObserved))
            {
                return;
            }

            long ticket = ++_asked;
            _wake.Ring();
            while (_isConnected && _done < ticket && !(_isLive && Head.IsObserved) && deadline - Environment.TickCount64 is var left and > 0)
            {
                Monitor.Wait(_gate, (int)left);
            }

            // Who has waited in vain asks for nothing any more.
            _done = Math.Max(_done, ticket);
        }
    }

    /// <summary>The other side is there, or is gone.</summary>
    internal void SetConnected(bool isConnected)
    {
        lock (_gate)
        {
            _isConnected = isConnected;
            _isLive = false;
            _wanted ??= _sent;
            _sent = null;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>All that was asked for until <paramref name="asked"/> is shown; with <paramref name="isLive"/>, it is kept so.</summary>
    internal void Shown(long asked, bool isLive)
    {
        lock (_gate)
        {
            _isLive = isLive;
            _done = Math.Max(_done, asked);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>A viewer has asked for this mode, which is now on its way; false where none has, or one is under way.</summary>
    internal bool TryTakeWanted(out DisplayMode mode)
    {
        lock (_gate)
        {
            mode = _wanted ?? default;
            if (_wanted is null || _sent is not null)
            {
                return false;
            }

            (_sent, _wanted) = (_wanted, null);
            return true;
        }
    }

    /// <summary>The other side has answered what <see cref="TryTakeWanted"/> took.</summary>
    internal void Answer(DisplayMode? mode)
    {
        lock (_gate)
        {
            _sent = null;
        }

        Prefer(mode ?? _told);
    }

    /// <summary>The other side prefers this mode: so does the mirror, unless a viewer has asked for another meanwhile.</summary>
    internal void Prefer(DisplayMode? mode)
    {
        _told = mode;
        lock (_gate)
        {
            if (_wanted is not null || _sent is not null)
            {
                return;
            }
        }

        if (mode is { } preferred)
        {
            Head.RequestMode(preferred);
        }
    }

    public void Dispose()
    {
        Head.FrameSource = null;
        Head.PreferredModeChanged -= OnPreferredModeChanged;
        Head.ObservationChanged -= OnObservationChanged;
        Head.SetSurface(null);
    }

    private void OnPreferredModeChanged(Head head)
    {
        if (Environment.CurrentManagedThreadId == Owner)
        {
            return;
        }

        lock (_gate)
        {
            _wanted = head.PreferredMode;
        }

        _wake.Ring();
    }

    private void OnObservationChanged(Head head) => _wake.Ring();
}
