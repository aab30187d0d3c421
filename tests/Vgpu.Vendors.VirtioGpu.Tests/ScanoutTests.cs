// Heads: which part of which resource each shows, and the exact damage that each hears of.
using Vgpu.Screens;
using static Vgpu.Vendors.VirtioGpu.Tests.GpuCommands;

namespace Vgpu.Vendors.VirtioGpu.Tests;

public sealed class ScanoutTests
{
    [Fact]
    public void Each_head_hears_its_own_part_of_the_damage()
    {
        using var guest = new GpuGuest(heads: 3);
        Assert.Equal(OK, guest.Create2D(1, 200, 100));
        Assert.Equal(OK, guest.SetScanout(0, 1, R(0, 0, 100, 100)));
        Assert.Equal(OK, guest.SetScanout(1, 1, R(100, 0, 100, 100)));
        Assert.Equal(OK, guest.SetScanout(2, 1, R(50, 25, 100, 50)));
        var heard = guest.Screen.Heads.Select(head => new Listener(head)).ToArray();

        Assert.Equal(OK, guest.Flush(1, R(90, 10, 20, 20)));
        Assert.Equal([new Rect(90, 10, 10, 20)], heard[0].Take());
        Assert.Equal([new Rect(0, 10, 10, 20)], heard[1].Take());
        Assert.Equal([new Rect(40, 0, 20, 5)], heard[2].Take());

        Assert.Equal(OK, guest.Flush(1, R(0, 0, 10, 10)));
        Assert.Equal([new Rect(0, 0, 10, 10)], heard[0].Take());
        Assert.Empty(heard[1].Take());
        Assert.Empty(heard[2].Take());

        Assert.Equal(OK, guest.Flush(1, R(0, 0, 200, 100)));
        Assert.Equal([new Rect(0, 0, 100, 100)], heard[0].Take());
        Assert.Equal([new Rect(0, 0, 100, 100)], heard[1].Take());
        Assert.Equal([new Rect(0, 0, 100, 50)], heard[2].Take());

        Assert.Equal(OK, guest.Flush(1, R(200, 100, 0, 0)));
        Assert.All(heard, listener => Assert.Empty(listener.Take()));
    }

    [Fact]
    public void Random_damage_agrees_with_a_model_of_pixels()
    {
        var random = new Random(5);
        using var guest = new GpuGuest(heads: 4);
        const int side = 48;
        Assert.Equal(OK, guest.Create2D(1, side, side));
        var rects = new Rect[4];
        for (int i = 0; i < rects.Length; i++)
        {
            rects[i] = RandomRect(random, side, minimum: 1);
            Assert.Equal(OK, guest.SetScanout((uint)i, 1, Wire(rects[i])));
        }

        var heard = guest.Screen.Heads.Select(head => new Listener(head)).ToArray();
        for (int round = 0; round < 200; round++)
        {
            Rect flushed = RandomRect(random, side, minimum: 0);
            Assert.Equal(OK, guest.Flush(1, Wire(flushed)));
            for (int i = 0; i < rects.Length; i++)
            {
                List<Rect> damage = heard[i].Take();
                for (int y = 0; y < rects[i].Height; y++)
                {
                    for (int x = 0; x < rects[i].Width; x++)
                    {
                        bool expected = flushed.Contains(new Rect(rects[i].X + x, rects[i].Y + y, 1, 1));
                        Assert.Equal(expected, damage.Exists(rect => rect.Contains(new Rect(x, y, 1, 1))));
                    }
                }
            }
        }
    }

    [Fact]
    public void A_part_of_a_resource_shows_its_own_pixels()
    {
        using var guest = new GpuGuest();
        Assert.Equal(OK, guest.Create2D(1, 16, 16));
        Assert.Equal(OK, guest.Attach(1, Backing(GpuGuest.PictureOffset, 1024)));
        Span<byte> pixels = guest.Ram(GpuGuest.PictureOffset, 1024);
        new Random(6).NextBytes(pixels);
        Assert.Equal(OK, guest.SetScanout(0, 1, R(3, 5, 7, 4)));
        Assert.Equal(OK, guest.Transfer(1, R(0, 0, 16, 16)));
        Assert.Equal(OK, guest.Flush(1, R(0, 0, 16, 16)));
        Picture picture = guest.Head.Capture(false)!;
        Assert.Equal((7, 4), (picture.Width, picture.Height));
        for (int y = 0; y < 4; y++)
        {
            PictureTests.AssertSameColours(pixels.Slice((((5 + y) * 16) + 3) * 4, 28), picture.Pixels.Span.Slice(y * 28, 28));
        }
    }

    [Fact]
    public void Unref_of_a_shown_resource_blanks_its_heads_only()
    {
        using var guest = new GpuGuest(heads: 3);
        Assert.Equal(OK, guest.Create2D(1, 16, 16));
        Assert.Equal(OK, guest.Create2D(2, 16, 16));
        Assert.Equal(OK, guest.SetScanout(0, 1, R(0, 0, 16, 16)));
        Assert.Equal(OK, guest.SetScanout(1, 2, R(0, 0, 16, 16)));
        Assert.Equal(OK, guest.SetScanout(2, 1, R(0, 0, 8, 8)));
        Assert.Equal(OK, guest.Unref(1));
        Assert.Null(guest.Screen.Heads[0].Capture(false));
        Assert.NotNull(guest.Screen.Heads[1].Capture(false));
        Assert.Null(guest.Screen.Heads[2].Capture(false));
    }

    [Fact]
    public void Showing_the_same_again_changes_nothing()
    {
        using var guest = new GpuGuest();
        Assert.Equal(OK, guest.Create2D(1, 16, 16));
        Assert.Equal(OK, guest.SetScanout(0, 1, R(0, 0, 16, 16)));
        ulong generation = guest.Head.Generation;
        Assert.Equal(OK, guest.SetScanout(0, 1, R(0, 0, 16, 16)));
        Assert.Equal(generation, guest.Head.Generation);
    }

    internal static Rect RandomRect(Random random, int side, int minimum)
    {
        int x = random.Next(side);
        int y = random.Next(side);
        return new Rect(x, y, random.Next(minimum, side - x + 1), random.Next(minimum, side - y + 1));
    }

    internal static VirtioGpuRect Wire(Rect rect) => R((uint)rect.X, (uint)rect.Y, (uint)rect.Width, (uint)rect.Height);

    internal sealed class Listener : IHeadObserver
    {
        private readonly List<Rect> _damage = [];

        internal Listener(Head head) => head.Observe(this);

        internal List<Rect> Take()
        {
            lock (_damage)
            {
                List<Rect> taken = [.. _damage];
                _damage.Clear();
                return taken;
            }
        }

        public void SurfaceChanged(Head head)
        {
        }

        public void Damaged(Head head, Rect rect)
        {
            lock (_damage)
            {
                _damage.Add(rect);
            }
        }

        public void CursorChanged(Head head)
        {
        }
    }
}
