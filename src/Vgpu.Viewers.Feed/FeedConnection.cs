using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Screens;

namespace Vgpu.Viewers.Feed;

// One client of the feed on the server's thread: gathers a request, answers it, never waits. Any answer but None from
// Receive and Tell ends the connection.
internal sealed partial class FeedConnection(UnixSocket socket, FeedScreen feed) : IDisposable
{
    private readonly byte[] _buffer = new byte[FeedHeader.Size + (FeedProtocol.MaxEvents * FeedProtocol.EventSize)];
    private readonly PollSet _writable = new();
    private int _received;
    private bool _greeted;
    private ulong _ticket;

    internal FileDescriptor Descriptor => socket.Descriptor;

    /// <summary>When it is dropped unless a whole request has come, or one waits: <see cref="Environment.TickCount64"/>.</summary>
    internal long Deadline { get; set; }

    /// <summary>Takes what has come, once the descriptor is readable. <paramref name="served"/>: a request is done.</summary>
    internal Errno Receive(out bool served)
    {
        served = false;
        int wanted = FeedHeader.Size;
        if (_received >= FeedHeader.Size)
        {
            wanted += (int)Header.Length;
        }

        int count = socket.Receive(_buffer.AsSpan(_received, wanted - _received), [], out _, out Errno error);
        if (count <= 0 || error != Errno.None)
        {
            return error == Errno.None ? Errno.ENOTCONN : error;
        }

        _received += count;
        if (_received < FeedHeader.Size)
        {
            return Errno.None;
        }

        if (_received == FeedHeader.Size && CheckHeader() is Errno wrong and not Errno.None)
        {
            return wrong;
        }

        if (_received < FeedHeader.Size + (int)Header.Length)
        {
            return Errno.None;
        }

        _received = 0;
        served = true;
        return Serve(Header);
    }

    public void Dispose()
    {
        LeaveHeads();
        socket.Shutdown();
        socket.Dispose();
    }

    private FeedHeader Header => MemoryMarshal.Read<FeedHeader>(_buffer);

    private T Payload<T>()
        where T : unmanaged => MemoryMarshal.Read<T>(_buffer.AsSpan(FeedHeader.Size));

    private Errno CheckHeader()
    {
        FeedHeader header = Header;
        int most = header.Type == FeedProtocol.FEED_INPUT ? FeedProtocol.MaxEvents * FeedProtocol.EventSize : FeedProtocol.MaxRequest;
        if (header.Errno != 0 || header.Reserved != 0 || header.Length > most)
        {
            return Errno.EPROTO;
        }

        int expected = header.Type switch
        {
            FeedProtocol.FEED_HELLO => FeedHello.Size,
            FeedProtocol.FEED_LIST_HEADS => 0,
            FeedProtocol.FEED_SNAPSHOT => FeedSnapshotRequest.Size,
            FeedProtocol.FEED_FRAME => FeedFrameRequest.Size,
            FeedProtocol.FEED_CURSOR => FeedCursorRequest.Size,
            FeedProtocol.FEED_INPUT => Math.Max(1, (int)header.Length / FeedProtocol.EventSize) * FeedProtocol.EventSize,
            FeedProtocol.FEED_RESIZE => FeedResize.Size,
            FeedProtocol.FEED_HURRY => FeedHurry.Size,
            _ => (int)header.Length,
        };
        return header.Length == expected && _greeted == (header.Type != FeedProtocol.FEED_HELLO) ? Errno.None : Errno.EPROTO;
    }

    private Errno Serve(in FeedHeader request) => request.Type switch
    {
        FeedProtocol.FEED_HELLO => ServeHello(request),
        FeedProtocol.FEED_LIST_HEADS => ServeHeads(request),
        FeedProtocol.FEED_SNAPSHOT => ServeSnapshot(request),
        FeedProtocol.FEED_FRAME => ServeFrame(request),
        FeedProtocol.FEED_CURSOR => ServeCursor(request),
        FeedProtocol.FEED_INPUT => ServeInput(request),
        FeedProtocol.FEED_RESIZE => ServeResize(request),
        FeedProtocol.FEED_HURRY => ServeHurry(request),
        _ => Answer(request, Errno.ENOSYS, [], []),
    };

    private Errno ServeHello(in FeedHeader request)
    {
        var hello = Payload<FeedHello>();
        if (hello.Magic != FeedProtocol.Magic)
        {
            return Errno.EPROTO;
        }

        _greeted = hello.Major == FeedProtocol.MajorVersion;
        var ours = new FeedHello { Magic = FeedProtocol.Magic, Major = FeedProtocol.MajorVersion, Minor = FeedProtocol.MinorVersion };
        Errno sent = Answer(request, _greeted ? Errno.None : Errno.ENOTSUP, FeedProtocol.BytesOf(ours), []);
        return _greeted ? sent : Errno.ENOTSUP;
    }

    private Errno ServeHeads(in FeedHeader request)
    {
        Span<FeedHead> heads = stackalloc FeedHead[feed.Screen.Heads.Count];
        for (int i = 0; i < heads.Length; i++)
        {
            HeadState state = feed.Screen.Heads[i].State;
            heads[i] = new FeedHead
            {
                Index = (uint)i,
                Flags = (state.IsConnected ? FeedProtocol.FEED_HEAD_CONNECTED : 0) | (state.HasCursor ? FeedProtocol.FEED_HEAD_CURSOR : 0),
                PreferredWidth = (uint)state.PreferredMode.Width,
                PreferredHeight = (uint)state.PreferredMode.Height,
                RefreshHertz = (uint)state.PreferredMode.RefreshHertz,
                Width = (uint)state.Width,
                Height = (uint)state.Height,
                MaxWidth = (ushort)feed.Screen.Heads[i].MaxMode.Width,
                MaxHeight = (ushort)feed.Screen.Heads[i].MaxMode.Height,
                Generation = state.Generation,
            };
        }

        return Answer(request, Errno.None, MemoryMarshal.AsBytes(heads), []);
    }

    private Errno ServeSnapshot(in FeedHeader request)
    {
        var wanted = Payload<FeedSnapshotRequest>();
        if (wanted.Ticket != _ticket)
        {
            return Errno.EPROTO;
        }

        if (wanted.Head >= (uint)feed.Screen.Heads.Count || (wanted.Flags & ~FeedProtocol.FEED_SNAPSHOT_CURSOR) != 0)
        {
            return Answer(request, Errno.EINVAL, [], []);
        }

        Snapshot? snapshot;
        Errno error;
        try
        {
            snapshot = Snapshot.Take(feed.Screen.Heads[(int)wanted.Head], wanted.Flags != 0, out error);
        }
        catch (LinuxException e)
        {
            return Answer(request, e.Errno, [], []);
        }

        using (snapshot)
        {
            if (snapshot is null)
            {
                return Answer(request, error, [], []);
            }

            _ticket = snapshot.Description.Ticket;
            feed.CountCopied((long)snapshot.Description.Length);
            return Answer(request, Errno.None, FeedProtocol.BytesOf(snapshot.Description), [snapshot.File.Number]);
        }
    }

    // An answer is far smaller than what a writable socket has room for (unix(7): a quarter of its send buffer may be
    // taken), so Send does not block; a client that left more than that unread is dropped.
    private Errno Answer(in FeedHeader request, Errno error, ReadOnlySpan<byte> payload, ReadOnlySpan<int> descriptors)
    {
        _writable.Clear();
        _writable.Add(Descriptor, PollEvents.POLLOUT);
        if (!_writable.Wait(0) || (_writable.Ready(0) & PollEvents.POLLOUT) == 0)
        {
            return Errno.EAGAIN;
        }

        var header = new FeedHeader
        {
            Type = (ushort)(request.Type | FeedProtocol.FEED_REPLY),
            Id = request.Id,
            Errno = (uint)error,
            Length = (uint)payload.Length,
        };
        return socket.Send(FeedProtocol.BytesOf(header), payload, descriptors);
    }
}
