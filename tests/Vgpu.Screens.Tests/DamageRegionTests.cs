namespace Vgpu.Screens.Tests;

// Against a model that marks every pixel.
public sealed class DamageRegionTests
{
    private const int Size = 48;

    [Fact]
    public void Gathers_exactly_what_was_added_while_there_is_room()
    {
        var random = new Random(1);
        for (int run = 0; run < 300; run++)
        {
            var region = new DamageRegion(capacity: 512);
            var model = new bool[Size * Size];
            for (int i = 0; i < 12; i++)
            {
                Rect rect = Any(random);
                region.Add(rect);
                Mark(model, rect);
            }

            Assert.Equal(model, Pixels(region));
        }
    }

    [Fact]
    public void Covers_what_was_added_without_overlaps_when_full()
    {
        var random = new Random(2);
        for (int run = 0; run < 300; run++)
        {
            var region = new DamageRegion(capacity: 1 + (run % 16));
            var model = new bool[Size * Size];
            Rect bounds = default;
            for (int i = 0; i < 40; i++)
            {
                Rect rect = Any(random);
                bounds = bounds.Union(rect);
                region.Add(rect);
                Mark(model, rect);
                Assert.InRange(region.Rects.Length, 0, region.Capacity);
            }

            bool[] covered = Pixels(region);
            for (int i = 0; i < model.Length; i++)
            {
                Assert.True(covered[i] || !model[i]);
            }

            Assert.Equal(bounds, region.Bounds);
        }
    }

    [Fact]
    public void Tiles_of_one_row_become_one_rectangle()
    {
        var region = new DamageRegion();
        for (int x = 0; x < 30; x++)
        {
            region.Add(new Rect(x * 64, 0, 64, 64));
        }

        Assert.Equal([new Rect(0, 0, 1920, 64)], region.Rects.ToArray());
        region.Clear();
        Assert.True(region.IsEmpty);
    }

    [Fact]
    public void Edges_do_not_wrap()
    {
        var all = new Rect(int.MinValue, int.MinValue, int.MaxValue, int.MaxValue);
        var far = new Rect(int.MaxValue, int.MaxValue, int.MaxValue, int.MaxValue);

        Assert.True(far.Intersect(new Rect(0, 0, 100, 100)).IsEmpty);
        Assert.Equal(new Rect(10, 10, 90, 90), new Rect(10, 10, int.MaxValue, int.MaxValue).Intersect(new Rect(0, 0, 100, 100)));
        Assert.True(all.Intersect(new Rect(0, 0, 100, 100)).IsEmpty);
        Assert.True(new Rect(0, 0, -1, 5).Intersect(new Rect(0, 0, 100, 100)).IsEmpty);
        Assert.True(new Rect(5, 5, int.MinValue, 5).Intersect(new Rect(0, 0, 100, 100)).IsEmpty);
    }

    private static Rect Any(Random random)
    {
        int x = random.Next(Size);
        int y = random.Next(Size);
        return new Rect(x, y, random.Next(0, Math.Min(20, Size - x) + 1), random.Next(0, Math.Min(20, Size - y) + 1));
    }

    private static void Mark(bool[] pixels, Rect rect)
    {
        for (int y = rect.Y; y < rect.Bottom; y++)
        {
            pixels.AsSpan((y * Size) + rect.X, rect.Width).Fill(true);
        }
    }

    private static bool[] Pixels(DamageRegion region)
    {
        var pixels = new bool[Size * Size];
        foreach (Rect rect in region.Rects)
        {
            for (int y = rect.Y; y < rect.Bottom; y++)
            {
                for (int x = rect.X; x < rect.Right; x++)
                {
                    Assert.False(pixels[(y * Size) + x], "rectangles overlap");
                    pixels[(y * Size) + x] = true;
                }
            }
        }

        return pixels;
    }
}
