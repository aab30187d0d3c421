using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Screens;
using static Vgpu.Vendors.Bochs.BochsConstants;

namespace Vgpu.Vendors.Bochs.Tests;

// From what the guest writes into its mapping to what a viewer sees.
public sealed class ScanoutTests
{
    [Fact]
    public void What_is_written_to_the_mapping_is_in_the_next_capture()
    {
        using var bench = new Bench();
        bench.SetMode(101, 77, virtualWidth: 128);
        Span<uint> pixels = MemoryMarshal.Cast<byte, uint>(bench.Memory.Span);
        var random = new Random(1);
        for (int i = 0; i < 128 * 80; i++)
        {
            pixels[i] = (uint)random.Next();
        }

        foreach ((int x, int y) in new[] { (0, 0), (27, 3), (5, 1), (0, 0) })
        {
            bench.Dispi(VBE_DISPI_INDEX_X_OFFSET, x);
            bench.Dispi(VBE_DISPI_INDEX_Y_OFFSET, y);
            ReadOnlySpan<uint> seen = MemoryMarshal.Cast<byte, uint>(bench.Head.Capture(withCursor: false)!.Pixels.Span);
            for (int i = 0; i < 101 * 77; i++)
            {
                Assert.Equal(pixels[((y + (i / 101)) * 128) + x + (i % 101)] | 0xff000000, seen[i]);
            }
        }
    }

    [Fact]
    public void Writes_that_come_by_message_are_seen_too()
    {
        using var bench = new Bench();
        bench.SetMode(64, 64);
        Assert.Equal(Errno.None, bench.Device.WriteRegion(0, 4, [1, 2, 3, 4]));
        Assert.Equal([1, 2, 3, 255], bench.Head.Capture(withCursor: false)!.Pixels.Slice(4, 4).ToArray());
    }

    [Fact]
    public void Big_endian_and_16_bit_pixels_are_converted()
    {
        using var bench = new Bench();
        bench.Memory.Span.Clear();
        new byte[] { 9, 0x11, 0x22, 0x33 }.CopyTo(bench.Memory.Span);
        bench.SetMode(64, 64);
        Assert.Equal([9, 0x11, 0x22, 255], First(bench));
        bench.Write(0x604, PCI_VGA_QEXT_BIG_ENDIAN, 4);
        Assert.Equal([0x33, 0x22, 0x11, 255], First(bench));

        bench.SetMode(64, 64, bits: 16);
        foreach ((int pixel, byte[] expected) in new (int, byte[])[]
        {
            (0xffff, [255, 255, 255, 255]), (0, [0, 0, 0, 255]), (0xf800, [0, 0, 255, 255]), (0x07e0, [0, 255, 0, 255]), (0x001f, [255, 0, 0, 255]),
            ((0x10 << 11) | (0x20 << 5) | 0x08, [0x42, 0x82, 0x84, 255]),
        })
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bench.Memory.Span, (ushort)pixel);
            Assert.Equal(expected, First(bench));
        }

        static byte[] First(Bench bench) => bench.Head.Capture(withCursor: false)!.Pixels[..4].ToArray();
    }

    [Theory]
    [InlineData(32, 200, 150)]
    [InlineData(16, 200, 150)]
    [InlineData(32, 64, 64)]
    [InlineData(32, 65, 129)]
    public void Damage_is_exactly_the_tiles_that_changed(int bits, int width, int height)
    {
        int bytes = bits / 8;
        var mode = new DispiMode(bits == 16 ? DispiFormat.R5G6B5 : DispiFormat.B8G8R8X8, width, height, (width + 3) * bytes, 4096);
        using var framebuffer = new Framebuffer("tiles", 1 << 20);
        using var mapping = MemoryMapping.Share(framebuffer.File, 0, 1 << 20, MemoryProtection.ReadWrite);
        using var shadow = new Shadow("tiles", mode);
        var rects = new Rect[shadow.MaxRects];
        var random = new Random(bits + width);
        for (int run = 0; run < 300; run++)
        {
            var before = new Dictionary<int, byte>();
            for (int i = random.Next(6); i > 0; i--)
            {
                int at = random.Next(height * mode.Stride);
                before.TryAdd(at, mapping.Span[4096 + at]);
                mapping.Span[4096 + at] = (byte)random.Next(4);
            }

            // What lies beyond the width is not shown.
            var expected = before.Where(byteBefore => mapping.Span[4096 + byteBefore.Key] != byteBefore.Value)
                .Select(changed => (X: changed.Key % mode.Stride / bytes, Y: changed.Key / mode.Stride))
                .Where(pixel => pixel.X < width)
                .Select(pixel => (pixel.X / 64, pixel.Y / 64))
                .ToHashSet();

            var seen = new HashSet<(int, int)>();
            foreach (Rect rect in rects.AsSpan(0, shadow.Update(framebuffer, mode, rects)))
            {
                Assert.True(rect.X % 64 == 0 && rect.Y % 64 == 0 && (rect.Right % 64 == 0 || rect.Right == width));
                Assert.Equal(Math.Min(rect.Y + 64, height), rect.Bottom);
                Assert.True(new Rect(0, 0, width, height).Contains(rect));
                for (int x = rect.X; x < rect.Right; x += 64)
                {
                    Assert.True(seen.Add((x / 64, rect.Y / 64)));
                }
            }

            Assert.True(expected.SetEquals(seen));
            Assert.Equal(0, shadow.Update(framebuffer, mode, rects));
        }
    }

    [Fact]
    public void A_still_picture_is_no_damage_and_no_generation()
    {
        using var bench = new Bench();
        bench.SetMode(640, 480);
        bench.Memory.Span.Fill(7);
        ulong generation = bench.Head.Generation;
        bench.Head.FrameSource!.Refresh();
        Assert.Equal(generation + 1, bench.Head.Generation);
        Assert.NotNull(bench.Head.Capture(withCursor: false));
        bench.Dispi(VBE_DISPI_INDEX_Y_OFFSET, 1);
        bench.Dispi(VBE_DISPI_INDEX_VIRT_WIDTH, 641);
        bench.Head.FrameSource.Refresh();
        Assert.Equal(generation + 1, bench.Head.Generation);
    }

    [Fact]
    public void A_mode_set_shows_one_surface_and_its_end_none()
    {
        using var bench = new Bench();
        bench.SetMode(640, 480);
        Assert.Equal(1UL, bench.Head.Generation);
        Assert.Equal((640, 480), (bench.Head.State.Width, bench.Head.State.Height));
        bench.SetMode(800, 600);
        Assert.Equal(3UL, bench.Head.Generation);
        bench.Dispi(VBE_DISPI_INDEX_ENABLE, 0);
        Assert.Equal(0, bench.Head.State.Width);
    }

    [Fact]
    public void Who_observes_hears_of_changes_unasked()
    {
        using var bench = new Bench();
        bench.SetMode(640, 480);
        using var heard = new BlockingCollection<Rect>();
        using (bench.Head.Observe(new Listener(heard)))
        {
            bench.Memory.Span[(70 * 640 * 4) + (70 * 4)] = 1;
            Assert.True(heard.TryTake(out Rect rect, TimeSpan.FromSeconds(60)));
            Assert.Equal(new Rect(64, 64, 64, 64), rect);
            bench.Memory.Span[0] = 1;
            Assert.True(heard.TryTake(out rect, TimeSpan.FromSeconds(60)));
            Assert.Equal(new Rect(0, 0, 64, 64), rect);
        }
    }

    [Fact]
    public async Task Modes_may_change_while_others_capture()
    {
        using var bench = new Bench();
        using var stop = new CancellationTokenSource();
        Task[] captures = [.. Enumerable.Range(0, 2).Select(reader => Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                _ = bench.Head.Capture(withCursor: true);
            }
        }))];
        using (bench.Head.Observe(new Listener(null)))
        {
            for (int i = 0; i < 300; i++)
            {
                bench.SetMode(64 + i, 64 + (i % 7), (i % 3) == 0 ? 16 : 32);
                bench.Memory.Span.Slice(i * 100, 100).Fill((byte)i);
                if (i % 50 == 0)
                {
                    bench.Device.Reset();
                }
            }
        }

        await stop.CancelAsync();
        await Task.WhenAll(captures);
    }

    private sealed class Listener(BlockingCollection<Rect>? heard) : IHeadObserver
    {
        public void SurfaceChanged(Head head)
        {
        }

        public void Damaged(Head head, Rect rect)
        {
            heard?.Add(rect, CancellationToken.None);
            _ = head.Capture(withCursor: false);
        }

        public void CursorChanged(Head head)
        {
        }
    }
}
