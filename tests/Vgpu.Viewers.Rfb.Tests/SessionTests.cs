using System.Runtime.InteropServices;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb.Tests;

/// <summary>What a viewer and the server tell each other beside pixels: cursor, size, fences, updates that come by themselves.</summary>
public sealed class SessionTests
{
    private static readonly CursorImage s_cursor = MakeCursor();

    [Fact]
    public void A_viewer_that_draws_the_cursor_gets_it_with_its_alpha()
    {
        using var desk = new Desk();
        desk.Head.SetCursor(s_cursor, 50, 50);
        using var viewer = new Viewer(desk.Address);
        viewer.SetEncodings(RfbProtocol.EncodingCursorWithAlpha, RfbProtocol.EncodingCursor);
        viewer.Request(incremental: false);
        viewer.Follow(desk);
        (int hotX, int hotY, int width, int height, byte[] pixels, _) = viewer.Decoder.Cursor!.Value;
        Assert.Equal((2, 1, 9, 7), (hotX, hotY, width, height));
        byte[] expected = [.. Enumerable.Range(0, 63).SelectMany(i => new[] { 2, 1, 0, 3 }.Select(c => s_cursor.Pixels.Span[(i * 4) + c]))];
        Assert.Equal(expected, pixels);
        desk.Head.SetCursor(null, 0, 0);
        viewer.Request(incremental: true);
        viewer.Decoder.ReadUpdate();
        Assert.Equal((0, 0), (viewer.Decoder.Cursor!.Value.Width, viewer.Decoder.Cursor!.Value.Height));
    }

    [Fact]
    public void A_viewer_without_alpha_gets_a_mask()
    {
        using var desk = new Desk();
        desk.Head.SetCursor(s_cursor, 50, 50);
        using var viewer = new Viewer(desk.Address);
        viewer.SetFormat(new RfbPixelFormat(16, 16, true, 31, 63, 31, 11, 5, 0));
        viewer.SetEncodings(RfbProtocol.EncodingCursor);
        viewer.Request(incremental: false);
        viewer.Follow(desk);
        (_, _, int width, int height, byte[] pixels, byte[] mask) = viewer.Decoder.Cursor!.Value;
        Assert.Equal((9, 7, 9 * 7 * 2, 2 * 7), (width, height, pixels.Length, mask.Length));
        for (int i = 0; i < 63; i++)
        {
            bool isSeen = (mask[(i / 9 * 2) + (i % 9 / 8)] & (0x80 >> (i % 9 % 8))) != 0;
            Assert.Equal(s_cursor.Pixels.Span[(i * 4) + 3] >= 128, isSeen);
        }
    }

    [Fact]
    public void For_a_viewer_that_draws_none_the_cursor_is_in_the_picture_and_leaves_no_trace()
    {
        using var desk = new Desk(200, 100);
        desk.ScribbleAll(new Random(7));
        using var viewer = new Viewer(desk.Address);
        viewer.SetEncodings(RfbProtocol.EncodingTight, RfbProtocol.EncodingCopyRect);
        viewer.Request(incremental: false);
        viewer.Follow(desk);
        foreach ((int x, int y) in new[] { (50, 50), (52, 50), (0, 0), (199, 99), (400, 50) })
        {
            desk.Head.SetCursor(s_cursor, x, y);
            Picture expected = desk.Head.Capture(withCursor: true)!;
            FollowTo(viewer, expected);
        }

        desk.Head.SetCursor(null, 0, 0);
        viewer.Follow(desk);
    }

    [Theory]
    [InlineData(RfbProtocol.EncodingDesktopSize)]
    [InlineData(RfbProtocol.EncodingExtendedDesktopSize)]
    public void The_screens_size_is_followed(int encoding)
    {
        using var desk = new Desk();
        using var viewer = new Viewer(desk.Address);
        viewer.SetEncodings(encoding, RfbProtocol.EncodingZrle);
        viewer.Request(incremental: false);
        viewer.Follow(desk);
        foreach ((int width, int height) in new[] { (800, 600), (320, 1000), (1, 1), (640, 480) })
        {
            desk.Resize(width, height);
            desk.ScribbleAll(new Random(width));
            viewer.Follow(desk);
        }
    }

    [Fact]
    public void A_viewer_that_knows_no_sizes_sees_what_fits_and_black_beside()
    {
        using var desk = new Desk(300, 200);
        desk.Fill(desk.Surface.Bounds, 0x112233);
        using var viewer = new Viewer(desk.Address);
        viewer.Request(incremental: false);
        viewer.Follow(desk);
        desk.Resize(200, 250);
        desk.Fill(desk.Surface.Bounds, 0x445566);
        while (viewer.Decoder.At(199, 199) != 0x445566 || viewer.Decoder.At(200, 0) != 0 || viewer.Decoder.At(299, 199) != 0)
        {
            viewer.Request(incremental: true);
            viewer.Decoder.ReadUpdate();
        }

        Assert.Equal((300, 200), (viewer.Width, viewer.Height));
    }

    [Fact]
    public void A_size_that_a_viewer_asks_for_becomes_the_monitors_and_every_viewer_follows()
    {
        using var desk = new Desk();
        desk.Head.PreferredModeChanged += head => desk.Resize(head.PreferredMode.Width, head.PreferredMode.Height);
        using var viewer = new Viewer(desk.Address);
        using var other = new Viewer(desk.Address);
        foreach (Viewer each in new[] { viewer, other })
        {
            each.SetEncodings(RfbProtocol.EncodingExtendedDesktopSize);
            each.Request(incremental: false);
            each.Follow(desk);
        }

        viewer.SetDesktopSize(800, 500);
        while (viewer.Width != 800)
        {
            viewer.Request(incremental: true);
            viewer.Decoder.ReadUpdate();
        }

        viewer.Follow(desk);
        other.Follow(desk);
        Assert.Equal(new DisplayMode(800, 500), desk.Head.PreferredMode);
        Assert.Contains(viewer.Decoder.Sizes, size => size is { Reason: 1, Status: RfbProtocol.ResizeForwarded or RfbProtocol.ResizeDone });
        viewer.SetDesktopSize(0, 500);
        while (viewer.Decoder.Sizes[^1].Reason != 1 || viewer.Decoder.Sizes[^1].Status != RfbProtocol.ResizeInvalidLayout)
        {
            viewer.Request(incremental: false);
            viewer.Decoder.ReadUpdate();
        }
    }

    [Fact]
    public void Fences_come_back_in_order_with_what_was_understood()
    {
        using var desk = new Desk();
        using var viewer = new Viewer(desk.Address);
        viewer.SetEncodings(RfbProtocol.EncodingFence);
        viewer.Decoder.AnswersFences = false;
        viewer.Fence(0x80000000 | 0x7fff0003, 1, 2, 3);
        viewer.Fence(0x80000000 | 4, [.. Enumerable.Range(0, 64).Select(i => (byte)i)]);
        viewer.SetFormat(new RfbPixelFormat(16, 16, false, 31, 63, 31, 11, 5, 0));
        viewer.Fence(0x80000001);
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(248, viewer.Decoder.ReadMessage());
        }

        Assert.Equal([0x80000000, 3, 4, 1], viewer.Decoder.Fences.Select(fence => fence.Flags));
        Assert.Equal([1, 2, 3], viewer.Decoder.Fences[1].Payload);
        Assert.Equal(64, viewer.Decoder.Fences[2].Payload.Length);
    }

    [Fact]
    public void Updates_come_by_themselves_as_far_as_they_are_acknowledged()
    {
        using var desk = new Desk();
        using var viewer = new Viewer(desk.Address);
        viewer.SetEncodings(RfbProtocol.EncodingZrle, RfbProtocol.EncodingFence, RfbProtocol.EncodingContinuousUpdates);
        while (viewer.Decoder.EndsOfContinuousUpdates == 0)
        {
            viewer.Decoder.ReadMessage();
        }

        viewer.Wire.Send([150, 1, .. Wire.B16(0, 0, 640, 480)]);
        var random = new Random(1);
        for (int i = 0; i < 10; i++)
        {
            desk.ScribbleAll(random);
            while (!viewer.Shows(desk))
            {
                viewer.Decoder.ReadMessage();
            }
        }

        viewer.Decoder.AnswersFences = false;
        int updates = 0;
        viewer.Wire.Send([150, 0, .. Wire.B16(0, 0, 640, 480)]);
        while (viewer.Decoder.EndsOfContinuousUpdates == 1)
        {
            updates += viewer.Decoder.ReadMessage() == 0 ? 1 : 0;
        }

        Assert.InRange(updates, 0, 2);
    }

    [Fact]
    public void Who_learns_to_follow_the_size_later_is_told_it_though_nothing_else_is_new()
    {
        using var desk = new Desk();
        using var viewer = new Viewer(desk.Address);
        viewer.SetEncodings(RfbProtocol.EncodingRaw, RfbProtocol.EncodingCursor);
        viewer.Follow(desk);
        desk.Resize(320, 240);
        viewer.Request(incremental: true);
        viewer.Decoder.ReadUpdate();
        Assert.Equal(640, viewer.Decoder.Width);

        viewer.SetEncodings(RfbProtocol.EncodingRaw, RfbProtocol.EncodingCursor, RfbProtocol.EncodingDesktopSize);
        viewer.Request(incremental: true);
        viewer.Decoder.ReadUpdate();
        Assert.Equal((320, 240), (viewer.Decoder.Width, viewer.Decoder.Height));
    }

    [Fact]
    public void Small_updates_are_acknowledged_now_and_then_and_large_ones_each_time()
    {
        using var desk = new Desk();
        using var viewer = new Viewer(desk.Address);
        viewer.SetEncodings(RfbProtocol.EncodingZrle, RfbProtocol.EncodingFence, RfbProtocol.EncodingContinuousUpdates);
        while (viewer.Decoder.EndsOfContinuousUpdates == 0)
        {
            viewer.Decoder.ReadMessage();
        }

        viewer.Wire.Send([150, 1, .. Wire.B16(0, 0, 640, 480)]);
        // The whole picture at first, whose fence may still be on its way with the next.
        _ = Fences(2, i => desk.Fill(new Rect(i, i, 4, 4), 0x654321));
        int[] counted = [Fences(32, i => desk.Fill(new Rect(i, i, 4, 4), 0x123456)), Fences(8, _ => desk.ScribbleAll(new Random()))];
        Assert.InRange(counted[0], (32 / 4) - 1, (32 / 4) + 1);
        Assert.InRange(counted[1], 8, int.MaxValue);

        int Fences(int changes, Action<int> change)
        {
            int before = Asked();
            for (int i = 0; i < changes; i++)
            {
                change(i);
                while (!viewer.Shows(desk))
                {
                    viewer.Decoder.ReadMessage();
                }

                // Once this is answered, what the server asked before it has had its answer too.
                viewer.Fence(0x80000000, (byte)i);
                while (viewer.Decoder.Fences is not [.., (Flags: 0, Payload: [var mark])] || mark != i)
                {
                    viewer.Decoder.ReadMessage();
                }
            }

            return Asked() - before;
        }

        int Asked() => viewer.Decoder.Fences.Count(fence => fence.Flags >= 0x80000000);
    }

    [Fact]
    public void As_many_updates_are_on_their_way_as_the_line_takes()
    {
        var pacing = new Pacing();
        long now = 0;
        // 100 ms of way: the window grows until it is always open at 60 a second.
        var line = new Queue<(uint Number, long At)>();
        int held = 0;
        for (int frame = 0; frame < 600; frame++, now += 16)
        {
            while (line.TryPeek(out (uint Number, long At) back) && back.At <= now)
            {
                pacing.Acknowledge(line.Dequeue().Number, now);
            }

            if (pacing.IsOpen)
            {
                line.Enqueue((pacing.Sent(now), now + 100));
                held = frame > 300 ? held : 0;
            }
            else
            {
                held++;
            }
        }

        Assert.Equal(0, held);
        for (int i = 0; pacing.IsOpen; i++)
        {
            Assert.True(i <= Pacing.MaxWindow);
            pacing.Sent(now);
        }

        pacing.Acknowledge(123_456, now);
        Assert.False(pacing.IsOpen);
    }

    private static void FollowTo(Viewer viewer, Picture picture)
    {
        bool Same()
        {
            ReadOnlySpan<uint> expected = MemoryMarshal.Cast<byte, uint>(picture.Pixels.Span);
            for (int i = 0; i < expected.Length; i++)
            {
                if (viewer.Decoder.At(i % picture.Width, i / picture.Width) != (expected[i] & 0xffffff))
                {
                    return false;
                }
            }

            return true;
        }

        while (!Same())
        {
            viewer.Request(incremental: true);
            viewer.Decoder.ReadUpdate();
        }
    }

    private static CursorImage MakeCursor()
    {
        var random = new Random(11);
        var pixels = new byte[9 * 7 * 4];
        for (int i = 0; i < pixels.Length; i += 4)
        {
            pixels[i + 3] = (byte)random.Next(256);
            for (int c = 0; c < 3; c++)
            {
                pixels[i + c] = (byte)random.Next(pixels[i + 3] + 1);
            }
        }

        return new CursorImage(9, 7, 2, 1, pixels);
    }
}
