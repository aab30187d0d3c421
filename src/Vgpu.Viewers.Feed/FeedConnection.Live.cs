// What a client asks that follows the screen: frames, cursor, input and modes (protocol 1.1).
using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Screens;

namespace Vgpu.Viewers.Feed;

internal sealed partial class FeedConnection
{
    private readonly FeedSubscription?[] _heads = new FeedSubscription?[feed.Screen.Heads.Count];
    private readonly Rect[] _rects = new Rect[FeedProtocol.MaxRects];
    private readonly byte[] _reply = new byte[FeedFrame.Size + (FeedProtocol.MaxRects * FeedProtocol.RectSize)];
    private readonly HeldInput _held = new();

    /// <summary>A FRAME of this client's waits for its answer.</summary>
    internal bool IsWaiting
    {
        get
        {
            foreach (FeedSubscription? head in _heads)
            {
                if (head?.Request is not null)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>When <see cref="Tell"/> is due though nothing happens.</summary>
    internal long NextTell
    {
        get
        {
            long next = long.MaxValue;
            foreach (FeedSubscription? head in _heads)
            {
                if (head?.Request is not null)
                {
                    next = Math.Min(next, head.MayHaveNews ? Math.Min(head.NotBefore, head.Deadline) : head.Deadline);
                }
            }

            return next;
        }
    }

    /// <summary>Answers each FRAME that waits and has news, or has waited for long enough.</summary>
    internal Errno Tell(long now, out bool told)
    {
        told = false;
        foreach (FeedSubscription? head in _heads)
        {
            if (head?.Request is not { } request || (now < head.Deadline && (!head.MayHaveNews || now < head.NotBefore)))
            {
                continue;
            }

            Errno error = head.IsFollowing ? head.Feed.TryUpdate() : Errno.None;
            if (error == Errno.EAGAIN)
            {
                continue;
            }

            bool isRefused = error != Errno.None;
            FeedFrame frame = default;
            if (!isRefused && !head.TryTell(anyway: now >= head.Deadline, _rects, out frame))
            {
                continue;
            }

            head.Answered(now + feed.FrameMilliseconds);
            told = true;
            error = isRefused ? Answer(request, error, [], []) : AnswerFrame(request, frame, head.Feed.Shadow);
            if (error != Errno.None)
            {
                return error;
            }
        }

        return Errno.None;
    }

    private Errno AnswerFrame(in FeedHeader request, in FeedFrame frame, Surface? shadow)
    {
        MemoryMarshal.Write(_reply, in frame);
        Span<byte> rects = MemoryMarshal.AsBytes(_rects.AsSpan(0, (int)frame.RectCount));
        rects.CopyTo(_reply.AsSpan(FeedFrame.Size));
        bool withSurface = shadow is not null && (frame.Flags & FeedProtocol.FEED_FRAME_SURFACE) != 0;
        return Answer(request, Errno.None, _reply.AsSpan(0, FeedFrame.Size + rects.Length), withSurface ? [shadow!.File.Number] : []);
    }

    private Errno ServeFrame(in FeedHeader request)
    {
        var wanted = Payload<FeedFrameRequest>();
        if (wanted.Head >= (uint)_heads.Length || (wanted.Flags & ~FeedProtocol.FEED_FRAME_PICTURE) != 0)
        {
            return Answer(request, Errno.EINVAL, [], []);
        }

        // One at a time, and by who has read the last: so nothing gathers for a client that does not read.
        FeedSubscription head = _heads[wanted.Head] ??= feed.Head((int)wanted.Head).Subscribe();
        if (head.Request is not null || head.Serial != wanted.Serial || wanted.Reserved != 0)
        {
            return Errno.EPROTO;
        }

        long now = Environment.TickCount64;
        head.Ask(request, wanted.Flags != 0, now + Math.Min(wanted.PatienceMilliseconds, FeedProtocol.MaxFramePatience));
        if (head.IsFollowing)
        {
            head.Feed.Refresh(now);
        }

        return Errno.None;
    }

    private Errno ServeHurry(in FeedHeader request)
    {
        var hurry = Payload<FeedHurry>();
        if (hurry.Head >= (uint)_heads.Length)
        {
            return Answer(request, Errno.EINVAL, [], []);
        }

        _heads[hurry.Head]?.Hurry(Environment.TickCount64);
        return Answer(request, Errno.None, [], []);
    }

    private Errno ServeCursor(in FeedHeader request)
    {
        var wanted = Payload<FeedCursorRequest>();
        if (wanted.Ticket != _ticket)
        {
            return Errno.EPROTO;
        }

        if (wanted.Head >= (uint)_heads.Length)
        {
            return Answer(request, Errno.EINVAL, [], []);
        }

        (CursorImage? image, int x, int y) = feed.Screen.Heads[(int)wanted.Head].Cursor;
        var cursor = new FeedCursor { X = x, Y = y, Ticket = FeedSubscription.NewTicket() };
        FileDescriptor? file = null;
        if (image is not null)
        {
            (cursor.Width, cursor.Height, cursor.HotX, cursor.HotY) = ((uint)image.Width, (uint)image.Height, image.HotX, image.HotY);
            cursor.Length = (ulong)image.Pixels.Length;
            try
            {
                file = Snapshot.Freeze("vgpu-cursor", image.Pixels.Span);
            }
            catch (LinuxException e)
            {
                return Answer(request, e.Errno, [], []);
            }
        }

        using (file)
        {
            _ticket = cursor.Ticket;
            _heads[wanted.Head]?.TellCursor(image);
            return Answer(request, Errno.None, FeedProtocol.BytesOf(cursor), file is null ? [] : [file.Number]);
        }
    }

    private Errno ServeInput(in FeedHeader request)
    {
        ReadOnlySpan<InputEvent> events = MemoryMarshal.Cast<byte, InputEvent>(_buffer.AsSpan(FeedHeader.Size, (int)request.Length));
        foreach (InputEvent input in events)
        {
            if (!input.IsValid || input.Head >= _heads.Length)
            {
                return Answer(request, Errno.EINVAL, [], []);
            }
        }

        foreach (InputEvent input in events)
        {
            _held.Note(input);
        }

        feed.Screen.Input?.Send(events);
        return Answer(request, Errno.None, [], []);
    }

    private Errno ServeResize(in FeedHeader request)
    {
        var resize = Payload<FeedResize>();
        const uint most = int.MaxValue;
        var mode = new DisplayMode((int)Math.Min(resize.Width, most), (int)Math.Min(resize.Height, most), (int)Math.Min(resize.RefreshHertz, most));
        if (resize.Head >= (uint)_heads.Length || !mode.IsValid)
        {
            return Answer(request, Errno.EINVAL, [], []);
        }

        Head head = feed.Screen.Heads[(int)resize.Head];
        head.RequestMode(mode);
        mode = head.PreferredMode;
        var now = new FeedMode { Width = (uint)mode.Width, Height = (uint)mode.Height, RefreshHertz = (uint)mode.RefreshHertz };
        return Answer(request, Errno.None, FeedProtocol.BytesOf(now), []);
    }

    // A client that is gone follows nothing, and presses no key any more.
    private void LeaveHeads()
    {
        for (int i = 0; i < _heads.Length; i++)
        {
            _heads[i]?.Dispose();
            _heads[i] = null;
        }

        while (_held.TryRelease(out InputEvent release))
        {
            feed.Screen.Input?.Send([release]);
        }
    }
}
