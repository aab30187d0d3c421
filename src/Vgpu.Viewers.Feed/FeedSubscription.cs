using System.Security.Cryptography;
using Vgpu.Linux;
using Vgpu.Screens;

namespace Vgpu.Viewers.Feed;

// What one connection has asked and was told of one head. The feed's thread.
internal sealed class FeedSubscription(HeadFeed feed) : IDisposable
{
    private readonly DamageRegion _untold = new(FeedProtocol.MaxRects);
    private bool _isAllUntold = true;
    private ulong _toldVersion;
    private CursorImage? _toldImage;
    private (int X, int Y) _toldPlace;
    private (bool IsConnected, DisplayMode Preferred, int Width, int Height)? _toldState;
    private bool _isCursorTold;

    /// <summary>Pictures were asked for last.</summary>
    internal bool IsFollowing { get; private set; }

    /// <summary>A request waits for its answer: the request's header.</summary>
    internal FeedHeader? Request { get; private set; }

    /// <summary>When the request is answered whatever is new.</summary>
    internal long Deadline { get; private set; }

    /// <summary>When the request may be answered at the earliest.</summary>
    internal long NotBefore { get; private set; } = long.MinValue;

    /// <summary>Something has happened since it was last looked at.</summary>
    internal bool MayHaveNews { get; private set; }

    internal ulong Serial { get; private set; }

    internal HeadFeed Feed => feed;

    /// <summary>A FRAME has come.</summary>
    internal void Ask(in FeedHeader header, bool picture, long deadline)
    {
        Request = header;
        Deadline = deadline;
        MayHaveNews = true;
        if (picture != IsFollowing)
        {
            IsFollowing = picture;
            _toldVersion = 0;
            _isAllUntold = true;
            _isCursorTold = false;
            feed.Follow();
        }
    }

    internal void Hurry(long now) => Deadline = Math.Min(Deadline, now);

    internal void Note(DamageRegion damage, bool isSurfaceNew)
    {
        MayHaveNews = true;
        if (!IsFollowing)
        {
            return;
        }

        _isAllUntold |= isSurfaceNew;
        foreach (Rect rect in damage.Rects)
        {
            _untold.Add(rect);
        }
    }

    /// <summary>The answer goes out: what it says is told.</summary>
    internal void Answered(long notBefore)
    {
        Request = null;
        NotBefore = notBefore;
    }

    /// <summary>The newest cursor is on its way to the client.</summary>
    internal void TellCursor(CursorImage? image) => _toldImage = image;

    /// <summary>
    /// What is new, with the shadow up to date, marked as told; false where nothing is and <paramref name="anyway"/> is
    /// not asked for. <paramref name="rects"/> has room for all.
    /// </summary>
    internal bool TryTell(bool anyway, Span<Rect> rects, out FeedFrame frame)
    {
        HeadState state = feed.Head.State;
        (CursorImage? image, int x, int y) = feed.Head.Cursor;
        Surface? shadow = feed.Shadow;
        uint news = 0;
        int count = 0;
        if (IsFollowing)
        {
            news |= _toldVersion != feed.Version ? FeedProtocol.FEED_FRAME_SURFACE : 0;
            news |= !_isCursorTold || !ReferenceEquals(image, _toldImage) ? FeedProtocol.FEED_FRAME_CURSOR_IMAGE : 0;
            news |= !_isCursorTold || (x, y) != _toldPlace ? FeedProtocol.FEED_FRAME_CURSOR_PLACE : 0;
            count = Damage(shadow, rects);
        }

        var now = (state.IsConnected, state.PreferredMode, state.Width, state.Height);
        news |= _toldState != now ? FeedProtocol.FEED_FRAME_STATE : 0;
        frame = new FeedFrame
        {
            Flags = news | (IsFollowing ? FeedProtocol.FEED_FRAME_PICTURE : 0),
            HeadFlags = (state.IsConnected ? FeedProtocol.FEED_HEAD_CONNECTED : 0) | (image is not null ? FeedProtocol.FEED_HEAD_CURSOR : 0),
            PreferredWidth = (uint)state.PreferredMode.Width,
            PreferredHeight = (uint)state.PreferredMode.Height,
            RefreshHertz = (uint)state.PreferredMode.RefreshHertz,
            Width = (uint)(IsFollowing ? shadow?.Width ?? 0 : state.Width),
            Height = (uint)(IsFollowing ? shadow?.Height ?? 0 : state.Height),
            Stride = IsFollowing ? (uint)(shadow?.Stride ?? 0) : 0,
            Length = IsFollowing && shadow is not null ? (ulong)shadow.Stride * (ulong)shadow.Height : 0,
            CursorX = x,
            CursorY = y,
            RectCount = (uint)count,
        };
        MayHaveNews = false;
        if (news == 0 && count == 0 && !anyway)
        {
            return false;
        }

        _toldState = now;
        if (IsFollowing)
        {
            _toldVersion = feed.Version;
            (_toldImage, _toldPlace, _isCursorTold) = (image, (x, y), true);
            _isAllUntold = false;
            _untold.Clear();
        }

        frame.Serial = Serial = NewTicket();
        return true;
    }

    public void Dispose()
    {
        IsFollowing = false;
        feed.Unsubscribe(this);
    }

    /// <summary>A number that only who was told it knows, and not 0.</summary>
    internal static ulong NewTicket()
    {
        Span<byte> ticket = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(ticket);
        return BitConverter.ToUInt64(ticket) | 1;
    }

    private int Damage(Surface? shadow, Span<Rect> rects)
    {
        if (shadow is null)
        {
            return 0;
        }

        if (_isAllUntold || _toldVersion != feed.Version)
        {
            rects[0] = shadow.Bounds;
            return 1;
        }

        // Damage of a surface that was larger may be among it.
        int count = 0;
        foreach (Rect rect in _untold.Rects)
        {
            Rect within = rect.Intersect(shadow.Bounds);
            if (!within.IsEmpty)
            {
                rects[count++] = within;
            }
        }

        return count;
    }
}
