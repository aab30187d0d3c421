using System.Runtime.InteropServices;
using Vgpu.Linux;

namespace Vgpu.Screens.Tests;

public sealed class HeadTests
{
    private static readonly Dictionary<PixelFormat, string> _layouts =
        Enum.GetValues<PixelFormat>().ToDictionary(format => format, format => string.Concat(format.ToString().Where(char.IsLetter)));

    public static TheoryData<PixelFormat> Formats => [.. Enum.GetValues<PixelFormat>()];

    [Theory]
    [MemberData(nameof(Formats))]
    public void Every_format_is_captured_as_BGRX(PixelFormat format)
    {
        var random = new Random((int)format);
        foreach ((int width, int height) in new[] { (1, 1), (3, 2), (4, 5), (17, 3), (64, 2), (101, 7) })
        {
            using var surface = Surface.Create("formats", width, height, format, ((width * 4) + 63) / 64 * 64);
            for (int y = 0; y < height; y++)
            {
                random.NextBytes(surface.Row(y));
            }

            Head head = new Screen(1, new DisplayMode(640, 480)).Heads[0];
            head.SetSurface(surface);
            Picture picture = head.Capture(withCursor: false)!;

            Assert.Equal((width, height), (picture.Width, picture.Height));
            string layout = _layouts[format];
            for (int i = 0; i < width * height; i++)
            {
                Span<byte> pixel = surface.Row(i / width).Slice(i % width * 4, 4);
                byte[] expected = [pixel[layout.IndexOf('B')], pixel[layout.IndexOf('G')], pixel[layout.IndexOf('R')], 255];
                Assert.Equal(expected, picture.Pixels.Slice(i * 4, 4).ToArray());
            }
        }
    }

    [Fact]
    public void Cursor_is_drawn_over_clipped_at_every_edge()
    {
        const int Width = 9, Height = 7;
        var random = new Random(5);
        using var surface = Surface.Create("cursor", Width, Height, PixelFormat.B8G8R8X8);
        for (int y = 0; y < Height; y++)
        {
            random.NextBytes(surface.Row(y));
        }

        var pixels = new byte[4 * 3 * 4];
        for (int i = 0; i < pixels.Length; i += 4)
        {
            byte alpha = (byte)random.Next(256);
            pixels[i + 3] = alpha;
            for (int c = 0; c < 3; c++)
            {
                pixels[i + c] = (byte)random.Next(alpha + 1);
            }
        }

        Head head = new Screen(1, new DisplayMode(640, 480)).Heads[0];
        head.SetSurface(surface);
        byte[] plain = head.Capture(withCursor: true)!.Pixels.ToArray();
        head.SetCursor(new CursorImage(4, 3, 1, 2, pixels), 0, 0);
        Assert.Equal(plain, head.Capture(withCursor: false)!.Pixels.ToArray());
        for (int y = -6; y < Height + 6; y++)
        {
            for (int x = -6; x < Width + 6; x++)
            {
                head.MoveCursor(x, y);
                byte[] expected = (byte[])plain.Clone();
                for (int i = 0; i < 12; i++)
                {
                    int column = x - 1 + (i % 4), row = y - 2 + (i / 4);
                    for (int c = 0; c < 3 && column is >= 0 and < Width && row is >= 0 and < Height; c++)
                    {
                        ref byte under = ref expected[(((row * Width) + column) * 4) + c];
                        under = (byte)(pixels[(i * 4) + c] + (int)Math.Round(under * (255 - pixels[(i * 4) + 3]) / 255.0));
                    }
                }

                Assert.Equal(expected, head.Capture(withCursor: true)!.Pixels.ToArray());
            }
        }

        foreach ((int x, int y) in new[] { (int.MaxValue, 0), (int.MinValue, int.MinValue), (3, int.MaxValue) })
        {
            head.MoveCursor(x, y);
            Assert.Equal(plain, head.Capture(withCursor: true)!.Pixels.ToArray());
        }

        head.SetCursor(new CursorImage(4, 3, int.MinValue, int.MaxValue, pixels), int.MaxValue, int.MinValue);
        Assert.Equal(plain, head.Capture(withCursor: true)!.Pixels.ToArray());
    }

    [Fact]
    public void A_guest_colour_above_its_alpha_saturates()
    {
        using var surface = Surface.Create("saturate", 1, 1, PixelFormat.B8G8R8X8);
        surface.Row(0).Fill(0xff);
        Head head = new Screen(1, new DisplayMode(640, 480)).Heads[0];
        head.SetSurface(surface);
        head.SetCursor(new CursorImage(1, 1, 0, 0, new byte[] { 255, 128, 0, 0 }), 0, 0);
        Assert.Equal([255, 255, 255, 255], head.Capture(withCursor: true)!.Pixels.ToArray());
    }

    [Fact]
    public void Flush_reports_what_lies_within_the_surface()
    {
        using var surface = Surface.Create("flush", 100, 50, PixelFormat.B8G8R8X8);
        Head head = new Screen(1, new DisplayMode(640, 480)).Heads[0];
        var seen = new Recorder();
        using (head.Observe(seen))
        {
            head.Flush(new Rect(0, 0, 10, 10));
            Assert.Empty(seen.Calls);
            head.SetSurface(surface);
            head.Flush(new Rect(90, 40, 100, 100));
            head.Flush(new Rect(-5, -5, 10, 10));
            head.Flush(new Rect(100, 0, 10, 10));
            head.Flush(new Rect(int.MaxValue, int.MaxValue, int.MaxValue, int.MaxValue));
            head.Flush(new Rect(1, 1, int.MaxValue, int.MaxValue));
            head.Flush(new Rect(1, 1, -1, 5));
            head.SetCursor(null, 1, 2);
            head.MoveCursor(1, 2);
            head.MoveCursor(3, 4);
            head.SetSurface(null);
        }

        head.SetSurface(null);
        string[] expected = ["surface", $"{new Rect(90, 40, 10, 10)}", $"{new Rect(0, 0, 5, 5)}", $"{new Rect(1, 1, 99, 49)}", "cursor", "cursor", "surface"];
        Assert.Equal(expected, seen.Calls);
        Assert.Equal(8UL, head.Generation);
    }

    [Fact]
    public void A_capture_outlives_the_device_that_forgot_its_surface()
    {
        var surface = Surface.Create("gone", 4, 4, PixelFormat.B8G8R8X8);
        FileDescriptor file = surface.File;
        Head head = new Screen(1, new DisplayMode(640, 480)).Heads[0];
        head.SetSurface(surface);
        surface.Dispose();
        Assert.NotNull(head.Capture(withCursor: true));
        Surface kept = head.AcquireSurface()!;
        head.SetSurface(null);
        Assert.False(file.IsClosed);
        kept.Dispose();
        Assert.True(file.IsClosed);
        Assert.Null(head.Capture(withCursor: true));
        Assert.Null(head.AcquireSurface());
        Assert.Throws<ObjectDisposedException>(() => head.SetSurface(surface));
    }

    [Fact]
    public void Capture_into_a_buffer_says_how_much_it_needs()
    {
        using var surface = Surface.Create("into", 6, 2, PixelFormat.X8R8G8B8);
        Head head = new Screen(1, new DisplayMode(640, 480)).Heads[0];
        Assert.False(head.TryCapture(false, new byte[100], out int width, out int height));
        Assert.Equal((0, 0), (width, height));
        head.SetSurface(surface);
        Assert.False(head.TryCapture(false, new byte[47], out width, out height));
        Assert.Equal((6, 2), (width, height));
        var buffer = new byte[50];
        Assert.True(head.TryCapture(false, buffer, out _, out _));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.True(head.TryCapture(true, buffer, out _, out _));
        head.Flush(new Rect(0, 0, 1, 1));
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal([0, 0], buffer[48..]);
    }

    [Fact]
    public void A_frame_source_is_asked_before_each_capture()
    {
        using var surface = Surface.Create("source", 4, 4, PixelFormat.B8G8R8X8);
        Head head = new Screen(1, new DisplayMode(640, 480)).Heads[0];
        head.FrameSource = new Source(() =>
        {
            surface.Row(0)[0] = 42;
            head.Flush(new Rect(0, 0, 1, 1));
        });
        head.SetSurface(surface);
        Assert.Equal(42, head.Capture(false)!.Pixels.Span[0]);
        Assert.Equal(2UL, head.Generation);
    }

    [Fact]
    public void Another_mode_makes_another_EDID_and_is_told_once()
    {
        var screen = new Screen(2, new DisplayMode(800, 600));
        Head head = screen.Heads[1];
        Assert.Equal((1, false, true), (head.Index, head.IsConnected, screen.Heads[0].IsConnected));
        int told = 0;
        head.PreferredModeChanged += h => told += ReferenceEquals(h, head) ? 1 : 100;

        head.RequestMode(new DisplayMode(800, 600));
        Assert.Equal(0, told);
        head.RequestMode(new DisplayMode(1366, 768));
        Assert.Equal(1, told);
        Assert.Equal(Edid.Create(new DisplayMode(1366, 768), head: 1), head.Edid.ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => head.RequestMode(default));
        head.SetConnected(true);
        head.SetConnected(true);
        Assert.Equal(2, told);
        Assert.True(head.State.IsConnected);
        Assert.Equal(new DisplayMode(1366, 768), head.PreferredMode);
    }

    [Fact]
    public void Observation_is_told_at_the_first_and_after_the_last()
    {
        Head head = new Screen(1, new DisplayMode(640, 480)).Heads[0];
        var told = new List<bool>();
        head.ObservationChanged += h => told.Add(h.IsObserved);
        IDisposable first = head.Observe(new Recorder());
        IDisposable second = head.Observe(new Recorder());
        first.Dispose();
        first.Dispose();
        Assert.Equal([true], told);
        second.Dispose();
        Assert.Equal([true, false], told);
    }

    [Fact]
    public void Numbers_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new Screen(0, new DisplayMode(640, 480)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Screen(17, new DisplayMode(640, 480)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Screen(1, default));
        Head head = new Screen(16, new DisplayMode(640, 480)).Heads[15];
        Assert.Throws<ArgumentException>(() => head.SetCursor(new CursorImage(2, 2, 0, 0, new byte[15]), 0, 0));
        Assert.Throws<ArgumentException>(() => head.SetCursor(new CursorImage(int.MaxValue, 2, 0, 0, new byte[16]), 0, 0));
    }

    [Fact]
    public async Task Surfaces_may_go_while_others_capture()
    {
        Head head = new Screen(1, new DisplayMode(640, 480)).Heads[0];
        var stop = new CancellationTokenSource();
        Task captures = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                _ = head.Capture(true);
            }
        });
        for (int i = 0; i < 500; i++)
        {
            using var surface = Surface.Create("race", 64 + (i % 3), 64, PixelFormat.A8B8G8R8);
            head.SetSurface(surface);
        }

        head.SetSurface(null);
        await stop.CancelAsync();
        await captures;
        stop.Dispose();
    }

    [Theory]
    [InlineData(0, 0, 2000, 100)]
    [InlineData(3, 5, 17, 90)]
    [InlineData(-10, 90, 5000, 5000)]
    [InlineData(1999, 99, 1, 1)]
    public void A_part_is_copied_to_its_place_and_nothing_else(int x, int y, int width, int height)
    {
        Head head = new Screen(1, new DisplayMode(640, 480)).Heads[0];
        using Surface shown = Surface.Create("shown", 2000, 100, PixelFormat.A8B8G8R8, 8192);
        using Surface target = Surface.Create("target", 2000, 100, PixelFormat.B8G8R8X8);
        for (int row = 0; row < 100; row++)
        {
            new Random(row).NextBytes(shown.Row(row));
        }

        head.SetSurface(shown);
        Assert.True(head.TryCopy(new Rect(x, y, width, height), target));
        ReadOnlySpan<uint> all = MemoryMarshal.Cast<byte, uint>(head.Capture(withCursor: false)!.Pixels.Span);
        var part = new Rect(x, y, width, height);
        for (int row = 0; row < 100; row++)
        {
            ReadOnlySpan<uint> copied = MemoryMarshal.Cast<byte, uint>(target.Row(row));
            for (int column = 0; column < 2000; column++)
            {
                bool isPart = part.Contains(new Rect(column, row, 1, 1));
                Assert.Equal(isPart ? all[(row * 2000) + column] : 0, copied[column]);
            }
        }

        head.SetSurface(null);
        Assert.False(head.TryCopy(part, target));
    }

    [Fact]
    public void A_part_is_copied_for_who_has_the_right_size_and_format()
    {
        Head head = new Screen(1, new DisplayMode(640, 480)).Heads[0];
        using Surface shown = Surface.Create("shown", 20, 10, PixelFormat.B8G8R8X8);
        using Surface other = Surface.Create("target", 20, 11, PixelFormat.B8G8R8X8);
        using Surface odd = Surface.Create("target", 20, 10, PixelFormat.R8G8B8X8);
        head.SetSurface(shown);
        Assert.False(head.TryCopy(shown.Bounds, other));
        Assert.True(head.TryCopy(new Rect(30, 0, 5, 5), other));
        Assert.Throws<ArgumentException>(() => head.TryCopy(shown.Bounds, odd));
        long before = GC.GetAllocatedBytesForCurrentThread();
        _ = head.TryCopy(shown.Bounds, shown);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        head.SetSurface(null);
    }

    [Fact]
    public void Parts_of_one_picture_are_heard_of_at_once_and_clipped()
    {
        Head head = new Screen(1, new DisplayMode(640, 480)).Heads[0];
        using Surface shown = Surface.Create("shown", 20, 10, PixelFormat.B8G8R8X8);
        head.SetSurface(shown);
        var heard = new AtOnce();
        using IDisposable observation = head.Observe(heard);
        ulong generation = head.Generation;

        head.Flush([new Rect(0, 0, 2, 2), new Rect(30, 0, 5, 5), new Rect(18, 8, 5, 5)]);
        Assert.Equal([[new Rect(0, 0, 2, 2), new Rect(18, 8, 2, 2)]], heard.Calls);
        Assert.Equal(generation + 1, head.Generation);

        head.Flush([new Rect(30, 0, 5, 5)]);
        head.Flush([]);
        Assert.Single(heard.Calls);

        Rect[] many = [.. Enumerable.Range(0, 100).Select(i => new Rect(i % 20, i / 20, 1, 1))];
        head.Flush(many);
        Assert.Equal(many, heard.Calls.Skip(1).SelectMany(call => call));
        head.SetSurface(null);
    }

    private sealed class AtOnce : IHeadObserver
    {
        public List<Rect[]> Calls { get; } = [];

        public void SurfaceChanged(Head head)
        {
        }

        public void Damaged(Head head, Rect rect) => Assert.Fail("one part alone");

        public void Damaged(Head head, ReadOnlySpan<Rect> rects) => Calls.Add(rects.ToArray());

        public void CursorChanged(Head head)
        {
        }
    }

    private sealed class Source(Action refresh) : IFrameSource
    {
        public void Refresh() => refresh();
    }

    private sealed class Recorder : IHeadObserver
    {
        public List<string> Calls { get; } = [];

        public void SurfaceChanged(Head head) => Calls.Add("surface");

        public void Damaged(Head head, Rect rect) => Calls.Add($"{rect}");

        public void CursorChanged(Head head) => Calls.Add("cursor");
    }

    [Fact]
    public void Who_waits_for_changes_is_woken_by_each_and_may_be_gone_when_one_is_told()
    {
        Head head = new Screen(1, new DisplayMode(640, 480)).Heads[0];
        using var surface = Surface.Create("changes", 64, 48, PixelFormat.B8G8R8X8);
        var changes = new HeadChanges(head);
        var drawings = new HeadChanges(head, withCursor: false);
        head.SetSurface(surface);
        Assert.True(changes.Changed.WaitOne(0) && drawings.Changed.WaitOne(0));
        Assert.False(changes.Changed.WaitOne(0));
        head.Flush(new Rect(0, 0, 1, 1));
        Assert.True(changes.Changed.WaitOne(0) && drawings.Changed.WaitOne(0));
        head.MoveCursor(3, 4);
        Assert.True(changes.Changed.WaitOne(0));
        Assert.False(drawings.Changed.WaitOne(0));

        drawings.Dispose();
        changes.Dispose();
        ((IHeadObserver)changes).Damaged(head, new Rect(0, 0, 1, 1));
        ((IHeadObserver)changes).SurfaceChanged(head);
        ((IHeadObserver)changes).CursorChanged(head);
        head.Flush(new Rect(0, 0, 1, 1));
    }
}
