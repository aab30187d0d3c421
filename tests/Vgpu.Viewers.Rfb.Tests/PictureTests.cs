using System.Net.Sockets;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb.Tests;

/// <summary>Whatever is drawn, in whatever encoding and pixel format, the viewer ends with the screen's picture.</summary>
public sealed class PictureTests
{
    private static readonly RfbPixelFormat s_native = RfbPixelFormat.Native;

    private static readonly Dictionary<string, RfbPixelFormat> s_formats = new()
    {
        ["native"] = s_native,
        ["noVNC"] = s_native with { RedShift = 0, BlueShift = 16 },
        ["big-endian"] = s_native with { IsBigEndian = true },
        ["high"] = s_native with { RedShift = 24, GreenShift = 16, BlueShift = 8 },
        ["high, big-endian"] = s_native with { RedShift = 24, GreenShift = 16, BlueShift = 8, IsBigEndian = true },
        ["depth 32"] = s_native with { Depth = 32 },
        ["10 bits"] = new RfbPixelFormat(32, 30, false, 1023, 1023, 1023, 20, 10, 0),
        ["565"] = new RfbPixelFormat(16, 16, false, 31, 63, 31, 11, 5, 0),
        ["565, big-endian"] = new RfbPixelFormat(16, 16, true, 31, 63, 31, 11, 5, 0),
        ["555"] = new RfbPixelFormat(16, 15, false, 31, 31, 31, 0, 5, 10),
        ["332"] = new RfbPixelFormat(8, 8, false, 7, 7, 3, 0, 3, 6),
        ["111"] = new RfbPixelFormat(8, 3, true, 1, 1, 1, 2, 1, 0),
    };

    public static TheoryData<int, string> All
    {
        get
        {
            var all = new TheoryData<int, string>();
            foreach (int encoding in new[] { RfbProtocol.EncodingRaw, RfbProtocol.EncodingZrle, RfbProtocol.EncodingTight })
            {
                foreach (string format in s_formats.Keys)
                {
                    all.Add(encoding, format);
                }
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Random_drawing_arrives(int encoding, string format)
    {
        var random = new Random(encoding + s_formats.Keys.ToList().IndexOf(format));
        using var desk = new Desk(random.Next(1, 700), random.Next(1, 500));
        using var viewer = new Viewer(desk.Address);
        viewer.SetFormat(s_formats[format]);
        viewer.SetEncodings(encoding, RfbProtocol.EncodingCopyRect, RfbProtocol.EncodingCursor);
        desk.ScribbleAll(random);
        viewer.Request(incremental: false);
        viewer.Follow(desk);
        for (int round = 0; round < 8; round++)
        {
            for (int i = random.Next(6); i >= 0; i--)
            {
                desk.Scribble(random, desk.AnyRect(random));
            }

            viewer.Follow(desk);
        }

        Assert.Contains(encoding, viewer.Decoder.Counts.Keys);
    }

    [Fact]
    public void Large_screens_are_cut_into_what_the_encodings_take()
    {
        using var desk = new Desk(5000, 300);
        desk.ScribbleAll(new Random(1));
        foreach (int encoding in new[] { RfbProtocol.EncodingRaw, RfbProtocol.EncodingZrle, RfbProtocol.EncodingTight })
        {
            using var viewer = new Viewer(desk.Address);
            viewer.SetEncodings(encoding);
            viewer.Request(incremental: false);
            viewer.Follow(desk);
        }
    }

    [Theory]
    [InlineData(PixelFormat.B8G8R8A8)]
    [InlineData(PixelFormat.R8G8B8X8)]
    [InlineData(PixelFormat.X8R8G8B8)]
    public void Any_format_of_the_surface_is_shown(PixelFormat format)
    {
        using var desk = new Desk();
        using var viewer = new Viewer(desk.Address);
        viewer.SetEncodings(RfbProtocol.EncodingTight, RfbProtocol.EncodingDesktopSize);
        using var surface = Surface.Create("other", 333, 77, format, 333 * 4 + 64);
        for (int y = 0; y < surface.Height; y++)
        {
            new Random(y).NextBytes(surface.Row(y));
        }

        desk.Head.SetSurface(surface);
        Picture picture = desk.Head.Capture(withCursor: false)!;
        desk.Resize(333, 77);
        for (int y = 0; y < 77; y++)
        {
            picture.Pixels.Span.Slice(y * 333 * 4, 333 * 4).CopyTo(desk.Surface.Row(y));
        }

        desk.Head.SetSurface(surface);
        viewer.Request(incremental: false);
        viewer.Follow(desk);
    }

    [Fact]
    public void Scrolling_is_told_as_such_and_costs_little()
    {
        var random = new Random(3);
        using var desk = new Desk(800, 600);
        desk.ScribbleAll(random);
        using var viewer = new Viewer(desk.Address);
        viewer.SetEncodings(RfbProtocol.EncodingTight, RfbProtocol.EncodingCopyRect, RfbProtocol.EncodingCursor);
        viewer.Request(incremental: false);
        viewer.Follow(desk);
        var window = new Rect(37, 51, 601, 503);
        desk.Scribble(new Random(4), window);
        viewer.Follow(desk);
        long before = viewer.Decoder.PixelBytes;
        foreach (int up in new[] { 16, 16, -24, 1, -1, 48 })
        {
            desk.Scroll(window, up);
            desk.Scribble(random, window with { Y = up > 0 ? window.Bottom - up : window.Y, Height = Math.Abs(up) });
            viewer.Follow(desk);
        }

        Assert.True(viewer.Decoder.Counts.GetValueOrDefault(RfbProtocol.EncodingCopyRect) >= 6, string.Join(' ', viewer.Decoder.Counts));
        Assert.True(viewer.Decoder.PixelBytes - before < window.Area, $"{viewer.Decoder.PixelBytes - before} bytes");
    }

    [Theory]
    [InlineData(24)]
    [InlineData(-24)]
    [InlineData(1)]
    public void Scrolling_sideways_is_told_as_such_too(int left)
    {
        using var desk = new Desk(800, 600);
        desk.Scribble(new Random(20), desk.Surface.Bounds);
        using var viewer = new Viewer(desk.Address);
        viewer.SetEncodings(RfbProtocol.EncodingTight, RfbProtocol.EncodingCopyRect, RfbProtocol.EncodingCursor);
        var window = new Rect(37, 51, 601, 503);
        NoiseOf(desk, 3);
        viewer.Request(incremental: false);
        viewer.Follow(desk);
        long before = viewer.Decoder.PixelBytes;
        desk.Shift(window, left);
        viewer.Follow(desk);
        Assert.True(viewer.Decoder.Counts.ContainsKey(RfbProtocol.EncodingCopyRect), string.Join(' ', viewer.Decoder.Counts));
        Assert.True(viewer.Decoder.PixelBytes - before < window.Area / 2, $"{viewer.Decoder.PixelBytes - before} bytes");
    }

    // A page that scrolls beside one that stays, with a clock above, and the whole screen said to be new.
    [Fact]
    public void Scrolling_is_found_within_whatever_else_changes()
    {
        using var desk = new Desk(1200, 800);
        NoiseOf(desk, 4);
        using var viewer = new Viewer(desk.Address);
        viewer.SetEncodings(RfbProtocol.EncodingTight, RfbProtocol.EncodingCopyRect, RfbProtocol.EncodingCursor);
        viewer.Request(incremental: false);
        viewer.Follow(desk);
        var page = new Rect(300, 100, 700, 600);
        var random = new Random(8);
        long before = viewer.Decoder.PixelBytes;
        for (int i = 0; i < 10; i++)
        {
            ScrollSilently(desk, page, 20);
            desk.Pixels(30)[1100..1150].Fill((uint)random.Next());
            desk.Pixels(780)[5..20].Fill((uint)random.Next());
            desk.Head.Flush(desk.Surface.Bounds);
            viewer.Follow(desk);
        }

        Assert.True(viewer.Decoder.Counts.GetValueOrDefault(RfbProtocol.EncodingCopyRect) >= 10, string.Join(' ', viewer.Decoder.Counts));
        Assert.True(viewer.Decoder.PixelBytes - before < 10 * page.Area, $"{viewer.Decoder.PixelBytes - before} bytes");
    }

    // What is scrolled while an update to somebody who is slow is under way: its pixels may be newer than its plan.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Scrolling_in_the_middle_of_an_update_ends_in_the_same_picture(int seed)
    {
        var random = new Random(seed);
        using var desk = new Desk(2400, 1600);
        NoiseOf(desk, seed);
        using var slow = new Viewer(desk.Address);
        using var quick = new Viewer(desk.Address);
        TakeLittle(slow);
        slow.SetEncodings(RfbProtocol.EncodingRaw, RfbProtocol.EncodingCopyRect, RfbProtocol.EncodingCursor);
        quick.SetEncodings(RfbProtocol.EncodingTight, RfbProtocol.EncodingCopyRect, RfbProtocol.EncodingCursor);
        quick.Request(incremental: false);
        quick.Follow(desk);
        slow.Request(incremental: false);
        Assert.Equal(RfbProtocol.FramebufferUpdate, slow.Wire.Stream.ReadByte());
        for (int round = 0; round < 3; round++)
        {
            desk.Scroll(desk.Surface.Bounds, random.Next(1, 60));
            quick.Follow(desk);
        }

        slow.Decoder.ReadMessage(RfbProtocol.FramebufferUpdate);
        slow.Follow(desk);
        Assert.True(quick.Decoder.Counts.ContainsKey(RfbProtocol.EncodingCopyRect));
    }

    [Fact]
    public void What_is_typed_does_not_wait_for_a_large_update_under_way()
    {
        using var desk = new Desk(3000, 2000);
        NoiseOf(desk, 6);
        using var viewer = new Viewer(desk.Address);
        TakeLittle(viewer);
        viewer.SetEncodings(RfbProtocol.EncodingRaw, RfbProtocol.EncodingLastRect, RfbProtocol.EncodingCursor);
        viewer.Request(incremental: false);

        // 24 MB do not fit into what lies between: it waits for us.
        Assert.Equal(RfbProtocol.FramebufferUpdate, viewer.Wire.Stream.ReadByte());
        viewer.Key('a', true);
        desk.Input.WaitFor(1);
        desk.Fill(new Rect(2900, 1900, 10, 16), 0x123456);
        viewer.Decoder.ReadMessage(RfbProtocol.FramebufferUpdate);
        int all = 2 * ((2000 + 63) / 64);
        Assert.InRange(viewer.Decoder.RectsOfLast, 1, all - 1);
        viewer.Request(incremental: true);
        viewer.Decoder.ReadUpdate();
        Assert.Equal(0x123456u, viewer.Decoder.At(2905, 1905));
        viewer.Follow(desk);
    }

    // Moves that pile up while the viewer does not ask, with drawing in between.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Scrolling_that_a_slow_viewer_misses_ends_in_the_same_picture(int seed)
    {
        var random = new Random(seed);
        using var desk = new Desk(400, 400);
        desk.ScribbleAll(random);
        using var slow = new Viewer(desk.Address);
        using var quick = new Viewer(desk.Address);
        foreach (Viewer viewer in new[] { slow, quick })
        {
            viewer.SetEncodings(RfbProtocol.EncodingZrle, RfbProtocol.EncodingCopyRect, RfbProtocol.EncodingCursor);
            viewer.Request(incremental: false);
            viewer.Follow(desk);
        }

        for (int round = 0; round < 30; round++)
        {
            Rect rect = desk.AnyRect(random);
            if (rect.Height > 60 && rect.Width > 60)
            {
                if (random.Next(3) == 0)
                {
                    desk.Shift(rect, random.Next(-30, 31));
                }
                else
                {
                    desk.Scroll(rect, random.Next(-30, 31));
                }
            }
            else
            {
                desk.Scribble(random, rect);
            }

            quick.Follow(desk);
            if (round % 7 == 6)
            {
                slow.Follow(desk);
            }
        }

        slow.Follow(desk);
    }

    [Fact]
    public void Only_what_changed_is_sent_and_only_where_it_was_asked_for()
    {
        using var desk = new Desk();
        using var viewer = new Viewer(desk.Address);
        viewer.Request(incremental: false);
        viewer.Follow(desk);
        long before = viewer.Decoder.PixelBytes;
        desk.Head.Flush(desk.Surface.Bounds);
        desk.Fill(new Rect(100, 100, 10, 10), 0x123456);
        desk.Fill(new Rect(400, 300, 50, 50), 0x654321);
        viewer.Request(incremental: true, new Rect(90, 90, 100, 100));
        viewer.Decoder.ReadUpdate();
        Assert.Equal(0x123456u, viewer.Decoder.At(105, 105));
        Assert.Equal(0u, viewer.Decoder.At(420, 320));
        viewer.Follow(desk);
        Assert.InRange(viewer.Decoder.PixelBytes - before, 2600 * 4, 64 * 64 * 4 * 6);
    }

    [Fact]
    public void Nothing_shown_is_black()
    {
        using var desk = new Desk();
        desk.Fill(desk.Surface.Bounds, 0xffffff);
        using var viewer = new Viewer(desk.Address);
        viewer.Request(incremental: false);
        viewer.Follow(desk);
        desk.Head.SetSurface(null);
        viewer.Request(incremental: true);
        viewer.Decoder.ReadUpdate();
        Assert.Equal((0u, 0u), (viewer.Decoder.At(0, 0), viewer.Decoder.At(639, 479)));
    }

    private static void NoiseOf(Desk desk, int seed)
    {
        var random = new Random(seed);
        for (int y = 0; y < desk.Surface.Height; y++)
        {
            random.NextBytes(desk.Surface.Row(y));
        }

        desk.Head.Flush(desk.Surface.Bounds);
    }

    // Or the system would take whole pictures for it.
    private static void TakeLittle(Viewer viewer) => ((NetworkStream)viewer.Wire.Stream).Socket.ReceiveBufferSize = 128 << 10;

    private static void ScrollSilently(Desk desk, Rect rect, int up)
    {
        for (int y = rect.Y; y < rect.Bottom - up; y++)
        {
            desk.Pixels(y + up).Slice(rect.X, rect.Width).CopyTo(desk.Pixels(y)[rect.X..]);
        }
    }
}
