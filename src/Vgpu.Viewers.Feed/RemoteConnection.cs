using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Screens;

namespace Vgpu.Viewers.Feed;

// One conversation of a mirror with the feed that it mirrors: asks, and shows what is answered. All that comes may be
// lies. Throws LinuxException and ScreenFeedException where the conversation is over. The mirror's thread.
internal sealed partial class RemoteConnection : IDisposable
{
    private const int FramePatience = 30_000;
    private const int LeastBetweenFrames = 4;
    private const int AfterRefusal = 1000;

    // So much is asked at most without an answer that a send never waits.
    private const int MostInputs = 32;

    private readonly UnixSocket _socket;
    private readonly Bell _wake;
    private readonly InputQueue _input;
    private readonly FollowedHead[] _heads;
    private readonly FeedInbox _inbox;
    private readonly PollSet _poll = new();
    private uint _id;
    private ulong _ticket;
    private int _inputs;

    // Whose cursor is on its way; -1: nobody's.
    private int _cursorHead = -1;

    internal RemoteConnection(UnixSocket socket, Bell wake, InputQueue input, IReadOnlyList<RemoteHead> heads)
    {
        _socket = socket;
        _wake = wake;
        _input = input;
        _heads = [.. heads.Select(head => new FollowedHead(head))];
        _inbox = new FeedInbox(socket);
    }

    /// <summary>Waits for the next thing to do, and does it.</summary>
    internal void Turn()
    {
        long now = Environment.TickCount64;
        long next = long.MaxValue;
        for (int i = 0; i < _heads.Length; i++)
        {
            Ask(i, now);
            next = Math.Min(next, _heads[i].FrameId == 0 ? _heads[i].AskAgain : long.MaxValue);
        }

        SendInput();
        _poll.Clear();
        _poll.Add(_socket.Descriptor, PollEvents.POLLIN);
        _poll.Add(_wake.Descriptor, PollEvents.POLLIN);
        _poll.Wait(next == long.MaxValue ? -1 : (int)Math.Clamp(next - now, 0, int.MaxValue));
        _wake.Take();
        if (_poll.Ready(0) != PollEvents.None && _inbox.Receive())
        {
            Take(_inbox.Header);
        }
    }

    public void Dispose() => _inbox.Dispose();

    private void Ask(int index, long now)
    {
        FollowedHead head = _heads[index];
        bool isWanted = head.Remote.Head.IsObserved || head.Remote.IsCaptureWanted || head.IsOutOfDate;
        if (head.FrameId != 0)
        {
            if (isWanted != head.IsPictureAsked && !head.IsHurried)
            {
                head.IsHurried = true;
                Send(FeedProtocol.FEED_HURRY, new FeedHurry { Head = (uint)index });
            }
        }
        else if (now >= head.AskAgain)
        {
            // Who does not observe wants one picture, now.
            head.IsPictureAsked = isWanted;
            head.IsHurried = false;
            head.AskedFor = head.Remote.Asked;
            head.AskedAt = now;
            head.FrameId = Send(FeedProtocol.FEED_FRAME, new FeedFrameRequest
            {
                Head = (uint)index,
                Flags = isWanted ? FeedProtocol.FEED_FRAME_PICTURE : 0,
                PatienceMilliseconds = isWanted && !head.Remote.Head.IsObserved ? 0u : FramePatience,
                Serial = head.Serial,
            });
        }

        if (head.IsCursorWanted && _cursorHead < 0)
        {
            _cursorHead = index;
            head.IsCursorWanted = false;
            Send(FeedProtocol.FEED_CURSOR, new FeedCursorRequest { Head = (uint)index, Ticket = _ticket });
        }

        if (head.Remote.TryTakeWanted(out DisplayMode mode))
        {
            var resize = new FeedResize { Head = (uint)index, Width = (uint)mode.Width, Height = (uint)mode.Height, RefreshHertz = (uint)mode.RefreshHertz };
            head.ResizeId = Send(FeedProtocol.FEED_RESIZE, resize);
        }
    }

    private void SendInput()
    {
        Span<InputEvent> events = stackalloc InputEvent[FeedProtocol.MaxEvents];
        while (_inputs < MostInputs && _input.Take(events) is var count and > 0)
        {
            _inputs++;
            Send(FeedProtocol.FEED_INPUT, MemoryMarshal.AsBytes(events[..count]));
        }
    }

    private uint Send<T>(ushort type, in T payload)
        where T : unmanaged => Send(type, FeedProtocol.BytesOf(payload));

    private uint Send(ushort type, ReadOnlySpan<byte> payload)
    {
        // Never 0: that is no request.
        _id = _id == uint.MaxValue ? 1 : _id + 1;
        var header = new FeedHeader { Type = type, Id = _id, Length = (uint)payload.Length };
        Errno error = _socket.Send(FeedProtocol.BytesOf(header), payload);
        return error == Errno.None ? _id : throw new LinuxException("sendmsg", error);
    }

    // One mirrored head in this conversation.
    private sealed class FollowedHead(RemoteHead remote)
    {
        internal RemoteHead Remote => remote;

        internal uint FrameId { get; set; }

        internal bool IsPictureAsked { get; set; }

        internal bool IsHurried { get; set; }

        // The captures that the frame on its way is for.
        internal long AskedFor { get; set; }

        // The captures that the last picture was for.
        internal long Shown { get; set; }

        // The last frame was a picture, and more are asked for.
        internal bool IsShown { get; set; }

        internal long AskedAt { get; set; }

        internal long AskAgain { get; set; }

        internal ulong Serial { get; set; }

        // The other side shows another size than the mirror does.
        internal bool IsOutOfDate { get; set; }

        internal bool IsCursorWanted { get; set; }

        internal uint ResizeId { get; set; }
    }
}
