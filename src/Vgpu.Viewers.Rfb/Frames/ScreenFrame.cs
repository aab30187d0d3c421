using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// The picture that all viewers of one head are shown: a copy, brought up to date when a viewer is ready for more. Damage
/// is recorded as it comes; <see cref="Refresh"/> finds what really changed or moved, and tells every viewer's
/// <see cref="PendingChanges"/>. Encoders read between <see cref="EnterRead"/> and <see cref="ExitRead"/>. Any thread.
/// </summary>
internal sealed class ScreenFrame : IHeadObserver, IDisposable
{
    private const uint Black = 0xff000000;
    private const int MillisecondsBetweenLooks = 1000;

    private static readonly uint[] s_black = CreateBlack();

    private readonly Head _head;
    private readonly ReaderWriterLockSlim _gate = new();
    private readonly Lock _newsLock = new();
    private readonly DamageRegion _news = new(64);
    private readonly DamageRegion _taken = new(64);
    private readonly FrameUpdate _update = new();
    private readonly MovingArea _moving = new();
    private readonly IPictureCodecs? _codecs;
    private readonly Timer _timer;
    private readonly Func<long> _clock;
    private uint[] _pixels = [];
    private IFrameViewer[] _viewers = [];
    private IDisposable? _observation;
    private bool _hasNews;
    private bool _isRefreshing;
    private bool _isSurfaceNew;
    private bool _isFilmMissing;

    internal ScreenFrame(Head head, IPictureCodecs? codecs, Func<long> clock)
    {
        _head = head;
        _clock = clock;
        _codecs = codecs;
        _isFilmMissing = codecs is null;
        _timer = new Timer(_ => EndFilmIfStill());
        Shared = new SharedRects(codecs);
        HeadState state = head.State;
        Resize(state.Width == 0 ? state.PreferredMode.Width : state.Width, state.Height == 0 ? state.PreferredMode.Height : state.Height);
    }

    internal Head Head => _head;

    /// <summary>Read under the lock, or as a hint.</summary>
    internal int Width { get; private set; }

    internal int Height { get; private set; }

    internal Rect Bounds => new(0, 0, Width, Height);

    /// <summary>Whether <see cref="Refresh"/> would find something, or somebody is in it, who will have told all viewers once it is false.</summary>
    internal bool HasNews => Volatile.Read(ref _hasNews) || Volatile.Read(ref _isRefreshing);

    /// <summary>What several viewers may be sent alike.</summary>
    internal SharedRects Shared { get; }

    /// <summary>Whether it pays to look there.</summary>
    internal bool HasSeveralViewers => Volatile.Read(ref _viewers).Length > 1;

    /// <summary>The part that moves like a film; empty where none does. Under the lock.</summary>
    internal Rect Moving => _moving.Area;

    /// <summary>That part for viewers that know H.264; null where nothing moves, or this host can't. Under the lock.</summary>
    internal FilmStream? Film { get; private set; }

    /// <summary>Tells this viewer of everything from now on. The first one makes the head observed.</summary>
    internal void Add(IFrameViewer viewer)
    {
        _gate.EnterWriteLock();
        try
        {
            if (_viewers.Length == 0)
            {
                _observation = _head.Observe(this);
                SurfaceChanged(_head);
            }

            Volatile.Write(ref _viewers, [.. _viewers, viewer]);
            viewer.Changes.Reset(Bounds);
        }
        finally
        {
            _gate.ExitWriteLock();
        }
    }

    internal void Remove(IFrameViewer viewer)
    {
        _gate.EnterWriteLock();
        try
        {
            Volatile.Write(ref _viewers, [.. _viewers.Where(other => other != viewer)]);
            if (_viewers.Length == 0)
            {
                _observation?.Dispose();
                _observation = null;
                _moving.Clear();
                SettleFilm();
                Shared.Dispose();
            }
        }
        finally
        {
            _gate.ExitWriteLock();
        }
    }

    public void SurfaceChanged(Head head)
    {
        lock (_newsLock)
        {
            _isSurfaceNew = true;
            _hasNews = true;
        }

        Wake();
    }

    public void Damaged(Head head, Rect rect) => Damaged(head, [rect]);

    public void Damaged(Head head, ReadOnlySpan<Rect> rects)
    {
        lock (_newsLock)
        {
            foreach (Rect rect in rects)
            {
                _news.Add(rect);
            }

            _hasNews = true;
        }

        Wake();
    }

    public void CursorChanged(Head head)
    {
        foreach (IFrameViewer viewer in Volatile.Read(ref _viewers))
        {
            viewer.CursorChanged();
        }
    }

    /// <summary>Brings the picture up to date where there is news, and tells the viewers what changed.</summary>
    internal void Refresh()
    {
        if (!Volatile.Read(ref _hasNews))
        {
            return;
        }

        _gate.EnterWriteLock();
        try
        {
            bool isSurfaceNew;
            lock (_newsLock)
            {
                Volatile.Write(ref _isRefreshing, true);
                _taken.Clear();
                foreach (Rect rect in _news.Rects)
                {
                    _taken.Add(rect);
                }

                _news.Clear();
                isSurfaceNew = _isSurfaceNew;
                _isSurfaceNew = false;
                Volatile.Write(ref _hasNews, false);
            }

            // Damage of a surface that is gone by now is followed by the news of the next one.
            using Surface? surface = _head.AcquireSurface();
            long now = _clock();
            Apply(surface, isSurfaceNew || surface is null || (surface.Width, surface.Height) != (Width, Height), now);
            _moving.Settle(Bounds, now);
            SettleFilm();
        }
        finally
        {
            Volatile.Write(ref _isRefreshing, false);
            _gate.ExitWriteLock();
        }
    }

    internal void EnterRead() => _gate.EnterReadLock();

    internal void ExitRead() => _gate.ExitReadLock();

    /// <summary>The pixels of a rectangle that lies within <see cref="Bounds"/>; black where it does not. Under the lock.</summary>
    internal PixelBlock Block(Rect rect) => Bounds.Contains(rect)
        ? new PixelBlock(_pixels.AsSpan((rect.Y * Width) + rect.X), Width, rect.Width, rect.Height)
        : new PixelBlock(s_black, 0, rect.Width, rect.Height);

    public void Dispose()
    {
        _timer.Dispose();
        _observation?.Dispose();
        _gate.Dispose();
    }

    private void EndFilmIfStill()
    {
        _gate.EnterWriteLock();
        try
        {
            _moving.Settle(Bounds, _clock());
            SettleFilm();
        }
        finally
        {
            _gate.ExitWriteLock();
        }
    }

    private void SettleFilm()
    {
        if (Film is { IsMissing: true })
        {
            _isFilmMissing = true;
        }

        Rect area = _moving.Area;
        if (Film?.Area != area || _isFilmMissing)
        {
            Film?.Dispose();
            Film = area.IsEmpty || _isFilmMissing ? null : new FilmStream(_codecs!, area);
        }

        _ = _timer.Change(area.IsEmpty ? Timeout.Infinite : MillisecondsBetweenLooks, Timeout.Infinite);
    }

    private void Apply(Surface? surface, bool isWhole, long now)
    {
        if (surface is not null && (surface.Width, surface.Height) != (Width, Height))
        {
            Resize(surface.Width, surface.Height);
            _moving.Clear();
            foreach (IFrameViewer viewer in _viewers)
            {
                viewer.Changes.Reset(Bounds);
            }
        }

        if (isWhole)
        {
            _taken.Clear();
            _taken.Add(Bounds);
        }

        if (surface is null)
        {
            _pixels.AsSpan(0, Width * Height).Fill(Black);
            Tell([], _taken.Rects);
            return;
        }

        foreach (Rect rect in _taken.Rects)
        {
            _update.Run(surface, rect.Intersect(Bounds), _pixels, Width);
            if (!_update.IsEmpty)
            {
                _moving.Note(_update.Changes.Rects, now);
                foreach (Move move in _update.Moves)
                {
                    _moving.Scrolled(move.Target);
                }

                Tell(_update.Moves, _update.Changes.Rects);
            }
        }
    }

    private void Tell(ReadOnlySpan<Move> moves, ReadOnlySpan<Rect> rects)
    {
        Shared.Clear();
        foreach (IFrameViewer viewer in _viewers)
        {
            viewer.Changes.Changed(moves, rects);
        }

        Film?.Changed(moves, rects);
    }

    private void Resize(int width, int height)
    {
        int length = checked(width * height);
        if (_pixels.Length < length || _pixels.Length > length * 4L)
        {
            _pixels = GC.AllocateUninitializedArray<uint>(length);
        }

        (Width, Height) = (width, height);
        Shared.Clear();
        _pixels.AsSpan(0, length).Fill(Black);
    }

    private void Wake()
    {
        foreach (IFrameViewer viewer in Volatile.Read(ref _viewers))
        {
            viewer.Wake();
        }
    }

    private static uint[] CreateBlack()
    {
        var row = new uint[DisplayMode.MaxSize];
        row.AsSpan().Fill(Black);
        return row;
    }
}
