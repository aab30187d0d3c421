using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Screens;

namespace Vgpu.Viewers.Feed;

/// <summary>
/// Asks another process for its screen. One thread. Every call throws <see cref="LinuxException"/> where the socket
/// fails and <see cref="ScreenFeedException"/> where the server refuses, breaks the protocol or does not answer in time.
/// </summary>
public sealed class ScreenFeedClient : IDisposable
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);

    private readonly UnixSocket _socket;
    private readonly TimeSpan _timeout;
    private readonly PollSet _poll = new();
    private readonly byte[] _payload = new byte[FeedProtocol.MaxReply];
    private uint _id;
    private ulong _ticket;

    private ScreenFeedClient(UnixSocket socket, TimeSpan timeout)
    {
        _socket = socket;
        _timeout = timeout;
    }

    /// <summary>For who goes on with this conversation by itself, and asks nothing here meanwhile.</summary>
    internal UnixSocket Socket => _socket;

    /// <summary>The minor version of the server's protocol.</summary>
    internal int MinorVersion { get; private set; }

    /// <summary>Connects to the feed at <paramref name="path"/>. <paramref name="timeout"/> is for each answer; 5 s where left out.</summary>
    public static ScreenFeedClient Connect(string path, TimeSpan? timeout = null) => Over(UnixSocket.Connect(path, timeout ?? s_timeout), timeout);

    /// <summary>A picture of one head, from its feed at <paramref name="path"/>; null where nothing is shown.</summary>
    public static Picture? Capture(string path, int head, bool withCursor)
    {
        using ScreenFeedClient client = Connect(path);
        return client.Capture(head, withCursor);
    }

    /// <summary>The heads, as they are now.</summary>
    public IReadOnlyList<FeedHeadInfo> Heads()
    {
        int length = Ask(FeedProtocol.FEED_LIST_HEADS, [], out FileDescriptor? file);
        file?.Dispose();
        var heads = MemoryMarshal.Cast<byte, FeedHead>(_payload.AsSpan(0, length / FeedHead.Size * FeedHead.Size));
        var list = new FeedHeadInfo[heads.Length];
        for (int i = 0; i < heads.Length; i++)
        {
            FeedHead head = heads[i];
            var mode = new DisplayMode((int)head.PreferredWidth, (int)head.PreferredHeight, (int)head.RefreshHertz);
            list[i] = new FeedHeadInfo((int)head.Index, new HeadState(
                (head.Flags & FeedProtocol.FEED_HEAD_CONNECTED) != 0,
                mode,
                (int)head.Width,
                (int)head.Height,
                (head.Flags & FeedProtocol.FEED_HEAD_CURSOR) != 0,
                head.Generation),
                head.MaxWidth == 0 ? null : new DisplayMode(head.MaxWidth, head.MaxHeight));
        }

        return list;
    }

    /// <summary>A whole picture of one head in B8G8R8X8; null where nothing is shown.</summary>
    public Picture? Capture(int head, bool withCursor)
    {
        var request = new FeedSnapshotRequest
        {
            Head = (uint)head,
            Flags = withCursor ? FeedProtocol.FEED_SNAPSHOT_CURSOR : 0,
            Ticket = _ticket,
        };
        int length;
        FileDescriptor? file;
        try
        {
            length = Ask(FeedProtocol.FEED_SNAPSHOT, FeedProtocol.BytesOf(request), out file);
        }
        catch (ScreenFeedException e) when (e.Errno == Errno.ENXIO)
        {
            return null;
        }

        using (file)
        {
            if (file is null || length < FeedSnapshot.Size)
            {
                throw new ScreenFeedException("The screen feed sent no picture.");
            }

            var snapshot = MemoryMarshal.Read<FeedSnapshot>(_payload);
            _ticket = snapshot.Ticket;
            return Read(file, snapshot);
        }
    }

    public void Dispose() => _socket.Dispose();

    internal static ScreenFeedClient Over(UnixSocket socket, TimeSpan? timeout = null)
    {
        var client = new ScreenFeedClient(socket, timeout ?? s_timeout);
        try
        {
            var hello = new FeedHello { Magic = FeedProtocol.Magic, Major = FeedProtocol.MajorVersion, Minor = FeedProtocol.MinorVersion };
            int length = client.Ask(FeedProtocol.FEED_HELLO, FeedProtocol.BytesOf(hello), out FileDescriptor? file);
            file?.Dispose();
            var theirs = MemoryMarshal.Read<FeedHello>(client._payload);
            client.MinorVersion = theirs.Minor;
            return length >= FeedHello.Size && theirs.Magic == FeedProtocol.Magic ? client : throw new ScreenFeedException("This is no screen feed.");
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    private static Picture Read(FileDescriptor file, in FeedSnapshot snapshot)
    {
        const Seals needed = Seals.F_SEAL_SHRINK | Seals.F_SEAL_WRITE;
        ulong row = (ulong)snapshot.Width * Surface.BytesPerPixel;
        bool fits = snapshot.Width is >= 1 and <= DisplayMode.MaxSize && snapshot.Height is >= 1 and <= DisplayMode.MaxSize
            && snapshot.Format == (uint)PixelFormat.B8G8R8X8 && snapshot.Stride == row && snapshot.Offset == 0
            && snapshot.Length == row * snapshot.Height;
        if (!fits || !FeedFile.IsSound(file, snapshot.Length, needed))
        {
            throw new ScreenFeedException("The screen feed sent a picture that can't be read.");
        }

        using var mapping = MemoryMapping.Share(file, 0, snapshot.Length, MemoryProtection.Read);
        return new Picture((int)snapshot.Width, (int)snapshot.Height, mapping.Span.ToArray());
    }

    // Sends a request and waits for its answer, which is then in _payload; returns its length.
    private int Ask(ushort type, ReadOnlySpan<byte> request, out FileDescriptor? file)
    {
        var header = new FeedHeader { Type = type, Id = ++_id, Length = (uint)request.Length };
        Errno sent = _socket.Send(FeedProtocol.BytesOf(header), request);
        if (sent != Errno.None)
        {
            throw new LinuxException("sendmsg", sent);
        }

        long deadline = Environment.TickCount64 + (long)_timeout.TotalMilliseconds;
        file = null;
        Span<byte> bytes = stackalloc byte[FeedHeader.Size];
        try
        {
            while (true)
            {
                Receive(bytes, deadline, ref file);
                header = MemoryMarshal.Read<FeedHeader>(bytes);
                if (header.Length > FeedProtocol.MaxReply)
                {
                    throw new ScreenFeedException("The screen feed sent too long a message.");
                }

                Receive(_payload.AsSpan(0, (int)header.Length), deadline, ref file);
                if (header.Type == (type | FeedProtocol.FEED_REPLY) && header.Id == _id)
                {
                    break;
                }

                file?.Dispose();
                file = null;
            }

            return header.Errno == 0
                ? (int)header.Length
                : throw new ScreenFeedException($"The screen feed refused: {(Errno)header.Errno}.", (Errno)header.Errno);
        }
        catch
        {
            file?.Dispose();
            file = null;
            throw;
        }
    }

    private void Receive(Span<byte> target, long deadline, ref FileDescriptor? file)
    {
        Span<int> descriptors = stackalloc int[1];
        while (!target.IsEmpty)
        {
            _poll.Clear();
            _poll.Add(_socket.Descriptor, PollEvents.POLLIN);
            long left = deadline - Environment.TickCount64;
            if (left <= 0 || !_poll.Wait((int)left))
            {
                if (left > 0)
                {
                    continue;
                }

                throw new ScreenFeedException("The screen feed did not answer in time.", Errno.ETIMEDOUT);
            }

            int count = _socket.Receive(target, descriptors, out int descriptorCount, out Errno error);
            if (descriptorCount != 0)
            {
                file?.Dispose();
                file = new FileDescriptor(descriptors[0]);
            }

            if (error != Errno.None)
            {
                throw new LinuxException("recvmsg", error);
            }

            if (count == 0)
            {
                throw new ScreenFeedException("The screen feed ended the conversation.", Errno.ENOTCONN);
            }

            target = target[count..];
        }
    }
}
