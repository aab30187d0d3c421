using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Vgpu.Testing;

namespace Vgpu.Viewers.Web.Tests;

/// <summary>Bytes over a WebSocket, from browsers and from those who break its rules.</summary>
public sealed class WebSocketTests : IDisposable
{
    private readonly EchoEndpoint _echo = new();
    private readonly Served _served;
    private readonly FakeVgpu _desk;

    public WebSocketTests()
    {
        _served = new Served(options => options with { MostSessions = 2 }, _echo);
        _desk = _served.Vgpus.Add("desk");
    }

    public void Dispose()
    {
        Workplace.Eventually(() => _served.Vgpus.Lent == 0, "a screen is still lent");
        _served.Dispose();
    }

    [Fact]
    public async Task Bytes_come_and_go_however_they_are_cut()
    {
        using ClientWebSocket socket = Open();
        byte[] sent = RandomNumberGenerator.GetBytes(50_000);
        Task sending = Task.Run(async () =>
        {
            for (int at = 0, size = 1; at < sent.Length; size = ((size * 7) % 4099) + 1)
            {
                int count = Math.Min(size, sent.Length - at);
                await socket.SendAsync(sent.AsMemory(at, count), WebSocketMessageType.Binary, endOfMessage: size % 3 == 0 || at + count == sent.Length, CancellationToken.None);
                at += count;
            }
        }, TestContext.Current.CancellationToken);
        Assert.Equal(sent, Receive(socket, sent.Length));
        await sending;
        Close(socket);
    }

    [Fact]
    public async Task A_browser_with_a_cookie_and_its_origin_gets_in()
    {
        using ClientWebSocket socket = _served.Open(_desk.Facts.Uuid, ("Cookie", _served.Cookie()), ("Origin", _served.Origin));
        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Binary, true, TestContext.Current.CancellationToken);
        Assert.Equal("hello"u8.ToArray(), Receive(socket, 5));
        Close(socket);
    }

    [Fact]
    public void Who_has_no_business_gets_no_screen()
    {
        Refused(401, _desk.Facts.Uuid, ("Origin", _served.Origin));
        Refused(401, _desk.Facts.Uuid, _served.Bearer("not-the-token-at-all"));
        Refused(403, _desk.Facts.Uuid, ("Cookie", _served.Cookie()));
        Refused(403, _desk.Facts.Uuid, ("Cookie", _served.Cookie()), ("Origin", "https://example.org"));
        Refused(403, _desk.Facts.Uuid, _served.Bearer(), ("Origin", "https://example.org"));
        Refused(421, _desk.Facts.Uuid, _served.Bearer(), ("Host", "example.org"));
        Refused(404, Guid.NewGuid(), _served.Bearer());
        _served.Vgpus.Change(_desk, facts => facts with { State = ConsoleVgpuState.Stopped });
        Refused(404, _desk.Facts.Uuid, _served.Bearer());
        Assert.Equal(0, _echo.Bytes);
    }

    [Fact]
    public void There_is_room_for_so_many()
    {
        using ClientWebSocket first = Open();
        using ClientWebSocket second = Open();
        Refused(503, _desk.Facts.Uuid, _served.Bearer());
        Close(first);
        Workplace.Eventually(() => _served.Vgpus.Lent == 1);
        using ClientWebSocket third = Open();
        Close(second);
        Close(third);
    }

    [Fact]
    public async Task Text_is_no_RFB()
    {
        using ClientWebSocket socket = Open();
        await socket.SendAsync("RFB 003.008\n"u8.ToArray(), WebSocketMessageType.Text, true, TestContext.Current.CancellationToken);
        Assert.Equal(WebSocketCloseStatus.InvalidMessageType, Ended(socket));
        _ = _served.Log.WaitFor("a message of text");
    }

    [Fact]
    public void A_message_without_end_is_ended_without_being_kept()
    {
        using ClientWebSocket socket = Open();
        var piece = new byte[10_000];
        _ = Task.Run(async () =>
        {
            for (int i = 0; i < 100; i++)
            {
                await socket.SendAsync(piece, WebSocketMessageType.Binary, endOfMessage: false, CancellationToken.None);
            }
        });
        Assert.Equal(WebSocketCloseStatus.MessageTooBig, Ended(socket));
        Assert.InRange(_echo.Bytes, 1, BoundedWebSocketStream.MostMessageBytes);
    }

    [Fact]
    public void Frames_of_nothing_are_ended()
    {
        using ClientWebSocket socket = Open();
        _ = Task.Run(async () =>
        {
            for (int i = 0; i < 1000; i++)
            {
                await socket.SendAsync(ReadOnlyMemory<byte>.Empty, WebSocketMessageType.Binary, endOfMessage: i % 2 == 0, CancellationToken.None);
            }
        });
        Assert.Equal(WebSocketCloseStatus.PolicyViolation, Ended(socket));
    }

    [Theory]
    [InlineData(new byte[] { 0x82, 0x05, 1, 2, 3, 4, 5 })] // not masked
    [InlineData(new byte[] { 0xc2, 0x81, 0, 0, 0, 0, 1 })] // a reserved bit
    [InlineData(new byte[] { 0x83, 0x81, 0, 0, 0, 0, 1 })] // an opcode that is none
    [InlineData(new byte[] { 0x80, 0x81, 0, 0, 0, 0, 1 })] // goes on with nothing
    [InlineData(new byte[] { 0x09, 0x81, 0, 0, 0, 0, 1 })] // a ping in pieces
    [InlineData(new byte[] { 0x89, 0xfe, 0x01, 0x00, 0, 0, 0, 0 })] // a long ping
    [InlineData(new byte[] { 0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0 })] // a negative length
    [InlineData(new byte[] { 0x88, 0x81, 0, 0, 0, 0, 1 })] // a close of one byte
    public void Frames_that_break_RFC_6455_end_the_session(byte[] frame)
    {
        using Socket socket = RawWebSocket();
        _ = socket.Send(frame);
        var all = new byte[4096];
        int count;
        do
        {
            count = socket.Receive(all, SocketFlags.None, out _);
        }
        while (count > 0);
        _ = _served.Log.WaitFor("has left desk");
        Assert.Equal(0, _echo.Bytes);
    }

    [Fact]
    public void A_length_that_is_only_claimed_takes_no_memory()
    {
        using Socket socket = RawWebSocket();
        long before = GC.GetTotalAllocatedBytes(precise: true);
        // 1 TiB is announced, and some of it sent.
        _ = socket.Send([0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        _ = socket.Send(new byte[2 * BoundedWebSocketStream.MostMessageBytes], SocketFlags.None, out _);
        _ = _served.Log.WaitFor("a message of more than 256 KiB");
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 16 << 20);
    }

    [Fact]
    public void A_browser_that_reads_nothing_holds_no_more_than_the_kernel_has_room_for()
    {
        using Socket socket = RawWebSocket();
        socket.SendTimeout = 1000;
        byte[] frame = [0x82, 0xfe, 0x40, 0x00, 0, 0, 0, 0, .. new byte[0x4000]];
        int sent = 0;
        try
        {
            // The echo can't be sent, so nothing more is read either.
            while (sent < 64 << 20)
            {
                sent += socket.Send(frame);
            }
        }
        catch (SocketException e)
        {
            Assert.Contains(e.SocketErrorCode, new[] { SocketError.TimedOut, SocketError.WouldBlock });
        }

        Assert.InRange(sent, 1, 63 << 20);
        socket.LingerState = new LingerOption(true, 0);
    }

    [Fact]
    public void A_vGPU_that_goes_ends_its_sessions()
    {
        using ClientWebSocket socket = Open();
        _served.Vgpus.Remove(_desk);
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, Ended(socket));
        Assert.Equal("the vGPU has stopped", socket.CloseStatusDescription);
    }

    [Fact]
    public async Task A_console_that_stops_ends_its_sessions()
    {
        using var served = new Served(rfb: new EchoEndpoint());
        FakeVgpu desk = served.Vgpus.Add("desk");
        using ClientWebSocket socket = served.Open(desk.Facts.Uuid, served.Bearer());
        Task<WebSocketCloseStatus?> ended = Task.Run(() => Ended(socket), TestContext.Current.CancellationToken);
        served.Dispose();
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, await ended);
        Assert.Equal(0, served.Vgpus.Lent);
    }

    [Fact]
    public void Who_only_looks_is_served_as_one_who_does()
    {
        var asked = new List<bool>();
        using var served = new Served(rfb: new NotingEndpoint(asked));
        FakeVgpu desk = served.Vgpus.Add("desk");
        using ClientWebSocket viewer = served.Open(desk.Facts.Uuid, served.Bearer(Served.ViewToken));
        _ = Ended(viewer);
        using ClientWebSocket typist = served.Open(desk.Facts.Uuid, served.Bearer());
        _ = Ended(typist);
        Assert.Equal([false, true], asked);
    }

    private ClientWebSocket Open() => _served.Open(_desk.Facts.Uuid, _served.Bearer());

    private void Refused(int status, Guid uuid, params (string Name, string Value)[] headers)
    {
        _ = Assert.Throws<WebSocketException>(() => _served.Open(uuid, headers));
        Assert.Equal(status, _served.RefusedWith);
    }

    private static byte[] Receive(ClientWebSocket socket, int count)
    {
        var all = new byte[count];
        for (int have = 0; have < count;)
        {
            have += socket.ReceiveAsync(all.AsMemory(have), CancellationToken.None).AsTask().GetAwaiter().GetResult().Count;
        }

        return all;
    }

    // What the server closed with.
    private static WebSocketCloseStatus? Ended(ClientWebSocket socket)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var some = new byte[4096];
        while (socket.ReceiveAsync(some.AsMemory(), patience.Token).AsTask().GetAwaiter().GetResult().MessageType != WebSocketMessageType.Close)
        {
        }

        return socket.CloseStatus;
    }

    private static void Close(ClientWebSocket socket)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, patience.Token).GetAwaiter().GetResult();
    }

    private Socket RawWebSocket()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000 };
        socket.Connect("127.0.0.1", _served.Uri.Port);
        _ = socket.Send(Encoding.ASCII.GetBytes(
            $"GET /api/vgpus/{_desk.Facts.Uuid}/console HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + $"Sec-WebSocket-Key: {Convert.ToBase64String(RandomNumberGenerator.GetBytes(16))}\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer {Served.Token}\r\n\r\n"));
        var answer = new StringBuilder();
        var one = new byte[1];
        while (!answer.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            Assert.Equal(1, socket.Receive(one));
            _ = answer.Append((char)one[0]);
        }

        Assert.StartsWith("HTTP/1.1 101 ", answer.ToString(), StringComparison.Ordinal);
        return socket;
    }

    private sealed class NotingEndpoint(List<bool> asked) : IRfbEndpoint
    {
        public Task Serve(IConsoleScreen screen, string name, bool mayType, Stream stream, string peer, CancellationToken end)
        {
            asked.Add(mayType);
            return Task.CompletedTask;
        }
    }
}
