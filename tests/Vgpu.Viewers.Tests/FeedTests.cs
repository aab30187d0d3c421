using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Viewers.Feed;
using static Vgpu.Viewers.Tests.FeedTalk;

namespace Vgpu.Viewers.Tests;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
[SuppressMessage("Design", "CA1001", Justification = "Disposed by xunit.")]
public sealed class FeedTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Screen _screen = new(2, new DisplayMode(1280, 800));
    private readonly Surface _surface = Surface.Create("feed", 33, 21, PixelFormat.R8G8B8A8);
    private readonly ScreenFeedServer _server;
    private readonly string _path;

    public FeedTests()
    {
        _path = _folder.File("a.screen");
        for (int y = 0; y < 21; y++)
        {
            new Random(y).NextBytes(_surface.Row(y));
        }

        _screen.Heads[0].SetSurface(_surface);
        _screen.Heads[0].SetCursor(new CursorImage(1, 1, 0, 0, new byte[] { 9, 8, 7, 255 }), 5, 6);
        _server = new ScreenFeedServer(_path, _screen, NullLogger.Instance) { Patience = TimeSpan.FromMilliseconds(300) };
        _server.Start();
    }

    public void Dispose()
    {
        _server.Dispose();
        _surface.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Heads_and_pictures_are_those_of_the_screen()
    {
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_path));
        using ScreenFeedClient client = ScreenFeedClient.Connect(_path);
        Assert.Equal([new FeedHeadInfo(0, _screen.Heads[0].State, _screen.Heads[0].MaxMode), new FeedHeadInfo(1, _screen.Heads[1].State, _screen.Heads[1].MaxMode)], client.Heads());
        foreach (bool withCursor in new[] { true, false, true })
        {
            Picture expected = _screen.Heads[0].Capture(withCursor)!;
            Picture picture = client.Capture(0, withCursor)!;
            Assert.Equal((33, 21), (picture.Width, picture.Height));
            Assert.True(expected.Pixels.Span.SequenceEqual(picture.Pixels.Span));
        }

        Assert.Null(client.Capture(1, withCursor: true));
        Assert.Equal(Errno.EINVAL, Assert.Throws<ScreenFeedException>(() => client.Capture(2, true)).Errno);
        Assert.Equal(Errno.EINVAL, Assert.Throws<ScreenFeedException>(() => client.Capture(-1, true)).Errno);
        Assert.NotNull(client.Capture(0, withCursor: true));
        AssertServes();
    }

    [Fact]
    public void A_snapshot_can_not_be_changed_by_anybody()
    {
        using UnixSocket socket = Greet(_path);
        FeedSnapshot snapshot = Snapshot(socket, ticket: 0, out FileDescriptor file);
        using (file)
        {
            Assert.Equal(Seals.F_SEAL_SHRINK | Seals.F_SEAL_GROW | Seals.F_SEAL_WRITE | Seals.F_SEAL_SEAL, MemFd.GetSeals(file));
            Assert.Equal(33UL * 21 * 4, file.Inspect().Size);
            Assert.Throws<LinuxException>(() => MemoryMapping.Share(file, 0, 4096, MemoryProtection.ReadWrite));
            Assert.NotEqual(0UL, snapshot.Ticket);
        }
    }

    [Fact]
    public void The_next_snapshot_needs_the_ticket_of_the_last()
    {
        using UnixSocket socket = Greet(_path);
        ulong ticket = 0;
        for (int i = 0; i < 3; i++)
        {
            FeedSnapshot snapshot = Snapshot(socket, ticket, out FileDescriptor file);
            file.Dispose();
            Assert.NotEqual(ticket, snapshot.Ticket);
            ticket = snapshot.Ticket;
        }

        Send(socket, FeedProtocol.FEED_SNAPSHOT, FeedProtocol.BytesOf(new FeedSnapshotRequest { Ticket = ticket + 2 }));
        AssertDropped(socket);
        AssertServes();
    }

    public static TheoryData<string, byte[]> Garbage
    {
        get
        {
            var data = new TheoryData<string, byte[]>();
            byte[] hello = Message(FeedProtocol.FEED_HELLO, Hello());
            data.Add("zeros", new byte[16]);
            data.Add("ones", [.. Enumerable.Repeat((byte)0xff, 64)]);
            data.Add("http", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
            data.Add("no hello", Message(FeedProtocol.FEED_LIST_HEADS, []));
            data.Add("hello twice", [.. hello, .. hello]);
            data.Add("other magic", Message(FeedProtocol.FEED_HELLO, FeedProtocol.BytesOf(new FeedHello { Magic = 1, Major = 1 })));
            data.Add("hello too short", Message(FeedProtocol.FEED_HELLO, new byte[7]));
            data.Add("hello too long", Message(FeedProtocol.FEED_HELLO, new byte[9]));
            data.Add("huge length", [.. hello, .. Message(FeedProtocol.FEED_SNAPSHOT, [], length: uint.MaxValue)]);
            data.Add("length 65", [.. hello, .. Message(77, new byte[65])]);
            data.Add("negative length", [.. hello, .. Message(77, [], length: 0x80000000)]);
            data.Add("heads with payload", [.. hello, .. Message(FeedProtocol.FEED_LIST_HEADS, new byte[4])]);
            data.Add("snapshot too short", [.. hello, .. Message(FeedProtocol.FEED_SNAPSHOT, new byte[15])]);
            data.Add("an answer", [.. hello, .. Message(FeedProtocol.FEED_LIST_HEADS, [], errno: 5)]);
            data.Add("reserved", [.. hello, .. Message(FeedProtocol.FEED_LIST_HEADS, [], reserved: 1)]);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Garbage))]
    public void What_is_no_request_ends_that_connection(string what, byte[] bytes)
    {
        Assert.NotEmpty(what);
        using UnixSocket socket = UnixSocket.Connect(_path);
        Assert.Equal(Errno.None, socket.Send(bytes));
        AssertDropped(socket);
        AssertServes();
    }

    [Fact]
    public void Another_version_hears_ours_and_is_let_go()
    {
        using UnixSocket socket = UnixSocket.Connect(_path);
        Send(socket, FeedProtocol.FEED_HELLO, FeedProtocol.BytesOf(new FeedHello { Magic = FeedProtocol.Magic, Major = 2 }));
        FeedHeader header = ReadHeader(socket, out _);
        Assert.Equal((uint)Errno.ENOTSUP, header.Errno);
        Assert.Equal(1, MemoryMarshal.Read<FeedHello>(ReadExactly(socket, (int)header.Length, out _)).Major);
        AssertDropped(socket);
    }

    [Fact]
    public void A_later_request_that_is_unknown_is_refused_politely()
    {
        using UnixSocket socket = Greet(_path);
        Send(socket, 99, new byte[64]);
        FeedHeader header = ReadHeader(socket, out _);
        Assert.Equal((99 | FeedProtocol.FEED_REPLY, (uint)Errno.ENOSYS, 0u), (header.Type, header.Errno, header.Length));
        Send(socket, FeedProtocol.FEED_SNAPSHOT, FeedProtocol.BytesOf(new FeedSnapshotRequest { Flags = 2 }));
        Assert.Equal((uint)Errno.EINVAL, ReadHeader(socket, out _).Errno);
        Snapshot(socket, 0, out FileDescriptor file);
        file.Dispose();
    }

    [Fact]
    public void A_disconnect_at_every_byte_harms_nobody()
    {
        byte[] conversation = [.. Message(FeedProtocol.FEED_HELLO, Hello()), .. Message(FeedProtocol.FEED_LIST_HEADS, []),
            .. Message(FeedProtocol.FEED_SNAPSHOT, FeedProtocol.BytesOf(default(FeedSnapshotRequest)))];
        for (int length = 0; length <= conversation.Length; length++)
        {
            using UnixSocket socket = UnixSocket.Connect(_path);
            Assert.Equal(Errno.None, socket.Send(conversation.AsSpan(0, length)));
        }

        AssertServes();
    }

    [Fact]
    public void A_request_may_come_byte_by_byte()
    {
        using UnixSocket socket = UnixSocket.Connect(_path);
        foreach (byte value in (byte[])[.. Message(FeedProtocol.FEED_HELLO, Hello()), .. Message(FeedProtocol.FEED_LIST_HEADS, [])])
        {
            Assert.Equal(Errno.None, socket.Send([value]));
        }

        ReadExactly(socket, (int)ReadHeader(socket, out _).Length, out _);
        Assert.Equal(80u, ReadHeader(socket, out _).Length);
    }

    [Fact]
    public void Who_never_reads_is_dropped()
    {
        using UnixSocket socket = Greet(_path);
        byte[] request = Message(FeedProtocol.FEED_LIST_HEADS, []);
        Errno error = Errno.None;
        for (int i = 0; i < 1_000_000 && error == Errno.None; i++)
        {
            error = socket.Send(request);
        }

        Assert.Contains(error, new[] { Errno.EPIPE, Errno.ECONNRESET });
        AssertServes();
    }

    [Fact]
    public void Who_says_nothing_is_dropped_and_the_next_gets_the_place()
    {
        var silent = new List<UnixSocket>();
        for (int i = 0; i < ScreenFeedServer.MaxClients + 4; i++)
        {
            UnixSocket socket = UnixSocket.Connect(_path);
            Assert.Equal(Errno.None, socket.Send(Message(FeedProtocol.FEED_HELLO, Hello()).AsSpan(0, i)));
            silent.Add(socket);
        }

        AssertServes();
        silent.ForEach(AssertDropped);
        silent.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public void Who_sends_descriptors_is_dropped()
    {
        using UnixSocket socket = Greet(_path);
        Assert.Equal(Errno.None, socket.Send(Message(FeedProtocol.FEED_LIST_HEADS, []), default, [_surface.File.Number]));
        AssertDropped(socket);
        AssertServes();
    }

    [Fact]
    public void The_socket_goes_with_the_server()
    {
        using UnixSocket socket = Greet(_path);
        Assert.Throws<LinuxException>(() =>
        {
            using var second = new ScreenFeedServer(_path, _screen, NullLogger.Instance);
            second.Start();
        });
        Assert.True(File.Exists(_path));
        _server.Dispose();
        AssertDropped(socket);
        Assert.False(File.Exists(_path));
    }

    private void AssertServes()
    {
        using ScreenFeedClient client = ScreenFeedClient.Connect(_path, TimeSpan.FromSeconds(20));
        Assert.NotNull(client.Capture(0, withCursor: true));
    }

    private static FeedSnapshot Snapshot(UnixSocket socket, ulong ticket, out FileDescriptor file)
    {
        Send(socket, FeedProtocol.FEED_SNAPSHOT, FeedProtocol.BytesOf(new FeedSnapshotRequest { Ticket = ticket }));
        FeedHeader header = ReadHeader(socket, out int number);
        Assert.Equal(0u, header.Errno);
        file = new FileDescriptor(number);
        return MemoryMarshal.Read<FeedSnapshot>(ReadExactly(socket, FeedSnapshot.Size, out _));
    }
}
