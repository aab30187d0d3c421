using System.Text;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb.Tests;

/// <summary>Viewers that mean no good: each is closed, the log says why, and the next one is served.</summary>
public sealed class HostileTests
{
    private static readonly byte[] s_cutText = [6, 0, 0, 0];

    public static TheoryData<string, byte[]> Messages => new()
    {
        { "unknown type 77", [77] },
        { "unknown type 1", [1, 0] },
        { "65535 encodings", [2, 0, 255, 255] },
        { "clipboard of 2147483647", [.. s_cutText, 0x7f, 255, 255, 255] },
        { "clipboard of 2147483648", [.. s_cutText, 0x80, 0, 0, 0] },
        { "fence of 65", [248, 0, 0, 0, 128, 0, 0, 0, 65] },
        { "QEMU message of kind 1", [255, 1, 0, 0] },
        { "colour map", [0, 0, 0, 0, 8, 8, 0, 0, 0, 7, 0, 7, 0, 3, 0, 3, 6, 0, 0, 0] },
        { "pixel format", [0, 0, 0, 0, 24, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0] },
        { "pixel format", [0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 255, 0, 0, 0] },
        { "pixel format", [0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 8, 8, 8, 0, 0, 0] },
        { "pixel format", [0, 0, 0, 0, 16, 16, 0, 1, 0xff, 0xff, 0, 255, 0, 255, 0, 8, 0, 0, 0, 0] },
        { "size, which it was not offered", [251, 0, 1, 0, 1, 0, 0, 0] },
    };

    [Theory]
    [MemberData(nameof(Messages))]
    public void Messages_that_cannot_be_close_the_connection(string reason, byte[] message)
    {
        using var desk = new Desk();
        using var hostile = new Viewer(desk.Address);
        hostile.Wire.Send(message);
        hostile.Wire.AssertClosed();
        desk.Log.WaitFor(reason);
        AssertServes(desk);
    }

    [Theory]
    [InlineData("GET / HTTP/1", "speaks no RFB")]
    [InlineData("RFB 003.008\n\u0002", "which it was not offered")]
    [InlineData("RFB 003.007\n\u0000", "which it was not offered")]
    public void Handshakes_that_cannot_be_close_the_connection(string said, string reason)
    {
        using var desk = new Desk();
        using var wire = new Wire(desk.Address);
        wire.Send(Encoding.Latin1.GetBytes(said));
        wire.AssertClosed();
        desk.Log.WaitFor(reason);
        AssertServes(desk);
    }

    [Fact]
    public void It_may_leave_at_any_byte()
    {
        using var desk = new Desk();
        byte[] conversation =
        [
            .. "RFB 003.008\n"u8, 1, 1, 0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0,
            2, 0, 0, 2, 0, 0, 0, 16, 0, 0, 0, 7, 3, 0, 0, 0, 0, 0, 2, 128, 1, 224, .. s_cutText, 0, 0, 0, 3, 1, 2, 3, 4, 1, 0, 0, 0, 0, 0, 97,
        ];
        for (int length = 0; length <= conversation.Length; length++)
        {
            using var wire = new Wire(desk.Address);
            wire.Send(conversation.AsSpan(0, length));
        }

        AssertServes(desk);
        Assert.Equal(0, desk.Log.Count("fault of ours"));
    }

    [Fact]
    public void A_conversation_may_come_byte_by_byte_with_a_clipboard_in_it()
    {
        using var desk = new Desk();
        desk.ScribbleAll(new Random(5));
        using var viewer = new Viewer(desk.Address);
        foreach (byte value in (byte[])[.. s_cutText, 0, 0, 0, 5, .. "hello"u8, .. s_cutText, 0xff, 0xff, 0xff, 0xfc, 0, 0, 0, 0])
        {
            viewer.Wire.Send(value);
        }

        viewer.Wire.Send([.. s_cutText, 0, 0x10, 0, 0, .. new byte[1 << 20]]);
        viewer.Request(incremental: false);
        viewer.Follow(desk);
    }

    [Fact]
    public void Who_says_nothing_or_half_is_closed_in_time_and_who_is_idle_is_not()
    {
        using var desk = new Desk(options: new RfbServerOptions { Name = "desk", Patience = TimeSpan.FromMilliseconds(200) });
        using var idle = new Viewer(desk.Address);
        using var silent = new Wire(desk.Address);
        silent.AssertClosed();
        desk.Log.WaitFor("did not finish the handshake");
        using var half = new Viewer(desk.Address);
        half.Wire.Send(4, 1, 0);
        half.Wire.AssertClosed();
        desk.Log.WaitFor("began a message");
        idle.Request(incremental: false);
        idle.Follow(desk);
    }

    [Fact]
    public void Who_asks_and_never_reads_is_closed_in_time()
    {
        using var desk = new Desk(1900, 1000, new RfbServerOptions { Name = "desk", Patience = TimeSpan.FromMilliseconds(300) });
        desk.ScribbleAll(new Random(1));
        using var deaf = new Viewer(desk.Address);
        for (int i = 0; i < 20; i++)
        {
            deaf.Request(incremental: false);
        }

        desk.Log.WaitFor("does not take what it asked for");
        AssertServes(desk);
    }

    [Fact]
    public void Answers_that_are_not_read_do_not_pile_up()
    {
        using var desk = new Desk(1900, 1000);
        desk.ScribbleAll(new Random(1));
        using var deaf = new Viewer(desk.Address);
        deaf.SetEncodings(RfbProtocol.EncodingFence, RfbProtocol.EncodingExtendedDesktopSize);
        deaf.Request(incremental: false);
        byte[] fences = [.. Enumerable.Repeat<byte[]>([248, 0, 0, 0, 128, 0, 0, 0, 64, .. new byte[64]], 10_000).SelectMany(fence => fence)];
        try
        {
            for (int i = 0; i < 20; i++)
            {
                deaf.Wire.Send(fences);
            }
        }
        catch (IOException)
        {
            // Closed while it was still asking.
        }

        desk.Log.WaitFor("asks faster than it takes the answers");
        AssertServes(desk);
    }

    [Fact]
    public void Beyond_the_most_viewers_the_door_is_closed_and_the_log_stays_short()
    {
        using var desk = new Desk(options: new RfbServerOptions { Name = "desk", MaxViewers = 3 });
        List<Viewer> inside = [.. Enumerable.Range(0, 3).Select(_ => new Viewer(desk.Address))];
        for (int i = 0; i < 100; i++)
        {
            using var outside = new Wire(desk.Address);
            outside.AssertClosed();
        }

        desk.Log.WaitFor("3 others are there");
        Assert.InRange(desk.Log.Count("3 others are there"), 1, 20);
        inside[0].Dispose();
        desk.Log.WaitFor("left");
        AssertServes(desk);
        inside.ForEach(viewer => viewer.Dispose());
    }

    [Fact]
    public void Sizes_and_rectangles_at_random_harm_nobody()
    {
        using var desk = new Desk();
        using var watcher = new Viewer(desk.Address);
        watcher.SetEncodings(RfbProtocol.EncodingZrle, RfbProtocol.EncodingDesktopSize);
        var random = new Random(2);
        using var hostile = new Viewer(desk.Address);
        hostile.SetEncodings(RfbProtocol.EncodingTight, RfbProtocol.EncodingExtendedDesktopSize, RfbProtocol.EncodingContinuousUpdates);
        var reading = new Thread(() => Assert.True(Drains(hostile))) { IsBackground = true };
        reading.Start();
        for (int i = 0; i < 3000; i++)
        {
            var rect = new Rect(random.Next(65536), random.Next(65536), random.Next(65536), random.Next(65536));
            hostile.Request(random.Next(2) == 0, rect);
            hostile.Wire.Send([150, (byte)random.Next(2), .. Wire.B16(rect.X, rect.Y, rect.Width, rect.Height)]);
            if (i % 100 == 0)
            {
                desk.Resize(random.Next(1, 900), random.Next(1, 900));
            }
        }

        desk.ScribbleAll(random);
        watcher.Request(incremental: false);
        watcher.Follow(desk);
        Assert.Equal(0, desk.Log.Count("fault of ours"));
    }

    private static bool Drains(Viewer viewer)
    {
        var bytes = new byte[65_536];
        try
        {
            while (viewer.Wire.Stream.Read(bytes) > 0)
            {
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The test is over.
        }

        return true;
    }

    private static void AssertServes(Desk desk)
    {
        using var viewer = new Viewer(desk.Address);
        viewer.Request(incremental: false);
        viewer.Follow(desk);
    }
}
