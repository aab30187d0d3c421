// What the server answers, checked and shown.
using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Screens;

namespace Vgpu.Viewers.Feed;

internal sealed partial class RemoteConnection
{
    private const ushort FirstUnasked = 16;

    private void Take(in FeedHeader header)
    {
        switch (header.Type)
        {
            case FeedProtocol.FEED_FRAME | FeedProtocol.FEED_REPLY:
                TakeFrame(header);
                break;
            case FeedProtocol.FEED_CURSOR | FeedProtocol.FEED_REPLY:
                TakeCursor(header);
                break;
            case FeedProtocol.FEED_RESIZE | FeedProtocol.FEED_REPLY:
                TakeResize(header);
                break;
            case FeedProtocol.FEED_INPUT | FeedProtocol.FEED_REPLY when _inputs > 0:
                _inputs--;
                break;
            case FeedProtocol.FEED_HURRY | FeedProtocol.FEED_REPLY:
                break;
            default:
                Require((header.Type & ~FeedProtocol.FEED_REPLY) >= FirstUnasked, "an answer that was not asked for");
                break;
        }
    }

    private void TakeFrame(in FeedHeader header)
    {
        int index = Asker(header.Id, static head => head.FrameId);
        FollowedHead head = _heads[index];
        long now = Environment.TickCount64;
        head.FrameId = 0;
        head.AskAgain = head.AskedAt + LeastBetweenFrames;
        if (header.Errno != 0)
        {
            head.AskAgain = now + AfterRefusal;
            (head.Shown, head.IsShown) = (head.AskedFor, false);
            Settle(index);
            return;
        }

        var frame = _inbox.Read<FeedFrame>();
        head.Serial = frame.Serial;
        TakeState(head, frame);
        head.IsShown = head.IsPictureAsked;
        if (head.IsPictureAsked)
        {
            TakePicture(head, frame);
            TakeCursorPlace(head, frame);
            head.Shown = head.AskedFor;
        }

        Settle(index);
    }

    // Who waits for a picture waits for its cursor too.
    private void Settle(int index)
    {
        FollowedHead head = _heads[index];
        if (!head.IsCursorWanted && _cursorHead != index)
        {
            head.Remote.Shown(head.Shown, head.IsShown);
        }
    }

    private static void TakeState(FollowedHead head, in FeedFrame frame)
    {
        var preferred = new DisplayMode((int)frame.PreferredWidth, (int)frame.PreferredHeight, (int)frame.RefreshHertz);
        Require(preferred.IsValid && frame.Width <= DisplayMode.MaxSize && frame.Height <= DisplayMode.MaxSize, "an impossible mode");
        head.Remote.Head.SetConnected((frame.HeadFlags & FeedProtocol.FEED_HEAD_CONNECTED) != 0);
        head.Remote.Prefer(preferred);
        HeadState state = head.Remote.Head.State;
        head.IsOutOfDate = !head.IsPictureAsked && ((uint)state.Width, (uint)state.Height) != (frame.Width, frame.Height);
    }

    private void TakePicture(FollowedHead head, in FeedFrame frame)
    {
        ReadOnlySpan<byte> behind = _inbox.Payload[FeedFrame.Size..];
        Require(frame.RectCount <= FeedProtocol.MaxRects && behind.Length >= frame.RectCount * FeedProtocol.RectSize, "too few rectangles");
        if ((frame.Flags & FeedProtocol.FEED_FRAME_SURFACE) != 0)
        {
            using FileDescriptor? file = _inbox.TakeFile();
            using Surface? surface = frame.Width == 0 ? null : Map(file, frame);
            head.Remote.Head.SetSurface(surface);
            return;
        }

        // The head keeps them within what it shows.
        head.Remote.Head.Flush(MemoryMarshal.Cast<byte, Rect>(behind)[..(int)frame.RectCount]);
    }

    // The server writes to it; nobody makes it shorter, so that reading never faults.
    private static unsafe Surface Map(FileDescriptor? file, in FeedFrame frame)
    {
        bool fits = frame.Height != 0 && frame.Stride == frame.Width * Surface.BytesPerPixel && frame.Length == (ulong)frame.Stride * frame.Height;
        if (file is null || !fits || !FeedFile.IsSound(file, frame.Length, Seals.F_SEAL_SHRINK))
        {
            throw new ScreenFeedException("The screen feed sent a surface that can't be read.");
        }

        var mapping = MemoryMapping.Share(file, 0, frame.Length, MemoryProtection.Read);
        try
        {
            // Sound: rows of this stride are within the mapping, which goes when the last reference to the surface does.
            return Surface.View(file, 0, mapping.Pointer, (int)frame.Width, (int)frame.Height, (int)frame.Stride, PixelFormat.B8G8R8X8, mapping.Dispose);
        }
        catch
        {
            mapping.Dispose();
            throw;
        }
    }

    private static void TakeCursorPlace(FollowedHead head, in FeedFrame frame)
    {
        if ((frame.Flags & FeedProtocol.FEED_FRAME_CURSOR_IMAGE) != 0)
        {
            head.IsCursorWanted = (frame.HeadFlags & FeedProtocol.FEED_HEAD_CURSOR) != 0;
            if (!head.IsCursorWanted)
            {
                head.Remote.Head.SetCursor(null, frame.CursorX, frame.CursorY);
            }
        }

        if ((frame.Flags & FeedProtocol.FEED_FRAME_CURSOR_PLACE) != 0)
        {
            head.Remote.Head.MoveCursor(frame.CursorX, frame.CursorY);
        }
    }

    private void TakeCursor(in FeedHeader header)
    {
        Require(_cursorHead >= 0, "a cursor that was not asked for");
        int index = _cursorHead;
        FollowedHead head = _heads[index];
        _cursorHead = -1;
        if (header.Errno == 0)
        {
            using FileDescriptor? file = _inbox.TakeFile();
            var cursor = _inbox.Read<FeedCursor>();
            _ticket = cursor.Ticket;
            head.Remote.Head.SetCursor(cursor.Width == 0 ? null : Read(file, cursor), cursor.X, cursor.Y);
        }

        Settle(index);
    }

    private static CursorImage Read(FileDescriptor? file, in FeedCursor cursor)
    {
        bool fits = cursor.Width <= CursorImage.MaxSize && cursor.Height is >= 1 and <= CursorImage.MaxSize
            && cursor.Length == (ulong)cursor.Width * cursor.Height * Surface.BytesPerPixel;
        if (file is null || !fits || !FeedFile.IsSound(file, cursor.Length, Seals.F_SEAL_SHRINK | Seals.F_SEAL_WRITE))
        {
            throw new ScreenFeedException("The screen feed sent a cursor that can't be read.");
        }

        using var mapping = MemoryMapping.Share(file, 0, cursor.Length, MemoryProtection.Read);
        return new CursorImage((int)cursor.Width, (int)cursor.Height, cursor.HotX, cursor.HotY, mapping.Span.ToArray());
    }

    private void TakeResize(in FeedHeader header)
    {
        FollowedHead head = _heads[Asker(header.Id, static head => head.ResizeId)];
        head.ResizeId = 0;
        if (header.Errno != 0)
        {
            head.Remote.Answer(null);
            return;
        }

        var now = _inbox.Read<FeedMode>();
        var mode = new DisplayMode((int)now.Width, (int)now.Height, (int)now.RefreshHertz);
        Require(mode.IsValid, "an impossible mode");
        head.Remote.Answer(mode);
    }

    private int Asker(uint id, Func<FollowedHead, uint> asked)
    {
        for (int i = 0; i < _heads.Length; i++)
        {
            if (id != 0 && asked(_heads[i]) == id)
            {
                return i;
            }
        }

        throw new ScreenFeedException("The screen feed sent an answer that was not asked for.");
    }

    private static void Require(bool isSo, string what)
    {
        if (!isSo)
        {
            throw new ScreenFeedException($"The screen feed sent {what}.");
        }
    }
}
