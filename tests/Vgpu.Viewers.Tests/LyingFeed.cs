using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Viewers.Feed;

namespace Vgpu.Viewers.Tests;

// A worker that its guest has taken over: true answers but for what the test changes in them.
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
internal sealed class LyingFeed : IDisposable
{
    private readonly UnixSocket _listener;
    private readonly Thread _thread;
    private readonly FileDescriptor _honest = MemFd.Create("lie", 8192, Seals.F_SEAL_SHRINK | Seals.F_SEAL_GROW | Seals.F_SEAL_WRITE);
    private readonly ManualResetEventSlim _told = new();
    private volatile bool _stopping;
    private int _conversations;

    internal LyingFeed(string path)
    {
        _listener = UnixSocket.Listen(path);
        _thread = new Thread(Run) { IsBackground = true, Name = "liar" };
        _thread.Start();
    }

    /// <summary>What a request of this type is answered with; null: the truth.</summary>
    internal Func<FeedHeader, byte[], Reply?>? Lie { get; set; }

    /// <summary>How often it was let go and connected to again.</summary>
    internal int Conversations => Volatile.Read(ref _conversations);

    internal static FeedFrame TrueFrame => new()
    {
        Serial = 1,
        Flags = FeedProtocol.FEED_FRAME_PICTURE | FeedProtocol.FEED_FRAME_SURFACE | FeedProtocol.FEED_FRAME_STATE | FeedProtocol.FEED_FRAME_CURSOR_IMAGE,
        HeadFlags = FeedProtocol.FEED_HEAD_CONNECTED | FeedProtocol.FEED_HEAD_CURSOR,
        PreferredWidth = 640,
        PreferredHeight = 480,
        RefreshHertz = 60,
        Width = 64,
        Height = 32,
        Stride = 256,
        Length = 8192,
        RectCount = 0,
    };

    internal static FeedCursor TrueCursor => new() { Width = 16, Height = 16, Length = 1024, Ticket = 1 };

    internal Reply Honest(byte[] payload) => new(payload, _honest.Number);

    public void Dispose()
    {
        _stopping = true;
        _listener.Shutdown();
        _told.Set();
        _thread.Join();
        _listener.Unlink();
        _listener.Dispose();
        _honest.Dispose();
        _told.Dispose();
    }

    internal static byte[] Bytes<T>(T value)
        where T : unmanaged => FeedProtocol.BytesOf(value).ToArray();

    private void Run()
    {
        while (!_stopping && _listener.Accept() is { } socket)
        {
            Interlocked.Increment(ref _conversations);
            using (socket)
            {
                Converse(socket);
            }
        }
    }

    private void Converse(UnixSocket socket)
    {
        var bytes = new byte[1024];
        while (!_stopping)
        {
            if (!Read(socket, bytes.AsSpan(0, FeedHeader.Size)))
            {
                return;
            }

            var header = MemoryMarshal.Read<FeedHeader>(bytes);
            byte[] payload = new byte[header.Length];
            if (!Read(socket, payload) || !Answer(socket, header, payload))
            {
                return;
            }
        }
    }

    private bool Answer(UnixSocket socket, FeedHeader request, byte[] payload)
    {
        Reply? reply = Lie?.Invoke(request, payload) ?? Truth(request, payload);
        if (reply is null)
        {
            return true;
        }

        var header = new FeedHeader
        {
            Type = reply.Type ?? (ushort)(request.Type | FeedProtocol.FEED_REPLY),
            Id = reply.Id ?? request.Id,
            Errno = (uint)reply.Errno,
            Length = reply.Length ?? (uint)reply.Payload.Length,
        };
        return socket.Send(FeedProtocol.BytesOf(header), reply.Payload, reply.Files) == Errno.None;
    }

    private Reply? Truth(FeedHeader request, byte[] payload) => request.Type switch
    {
        FeedProtocol.FEED_HELLO => new(Bytes(new FeedHello { Magic = FeedProtocol.Magic, Major = 1, Minor = 1 })),
        FeedProtocol.FEED_LIST_HEADS => new(Bytes(new FeedHead { Flags = 1, PreferredWidth = 640, PreferredHeight = 480, RefreshHertz = 60, MaxWidth = 4096, MaxHeight = 4096 })),
        FeedProtocol.FEED_FRAME when MemoryMarshal.Read<FeedFrameRequest>(payload) is { Serial: 0, Flags: not 0 } => Honest(Bytes(TrueFrame)),

        // One frame is all; later ones wait.
        FeedProtocol.FEED_FRAME when MemoryMarshal.Read<FeedFrameRequest>(payload).Serial == 0 => new(Bytes(TrueFrame with { Flags = FeedProtocol.FEED_FRAME_STATE, Serial = 0 })),
        FeedProtocol.FEED_FRAME => null,
        FeedProtocol.FEED_CURSOR => Honest(Bytes(TrueCursor)),
        FeedProtocol.FEED_RESIZE => new(Bytes(new FeedMode { Width = 640, Height = 480, RefreshHertz = 60 })),
        _ => new([]),
    };

    private static bool Read(UnixSocket socket, Span<byte> target)
    {
        while (!target.IsEmpty)
        {
            int count = socket.Receive(target, [], out _, out _);
            if (count <= 0)
            {
                return false;
            }

            target = target[count..];
        }

        return true;
    }

    internal sealed record Reply(byte[] Payload, params int[] Files)
    {
        internal ushort? Type { get; init; }

        internal uint? Id { get; init; }

        internal uint? Length { get; init; }

        internal Errno Errno { get; init; }
    }
}
