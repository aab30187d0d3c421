using Vgpu.Screens;

namespace Vgpu.Bench.Screens;

/// <summary>
/// Lines that look like text to an encoder: 94 signs of random strokes with soft edges, words of two to nine of them, ragged lines.
/// The same number gives the same line.
/// </summary>
internal sealed class TextPage(uint paper, uint ink)
{
    internal const int CellWidth = 9;
    internal const int CellHeight = 18;
    private const int Signs = 94;

    private static readonly byte[][] s_signs = [.. Enumerable.Range(0, Signs).Select(Draw)];

    private readonly uint[] _shades = [.. Enumerable.Range(0, 256).Select(cover => Blend(paper, ink, (uint)cover))];

    /// <summary>One line of text, as wide as the rectangle and a cell high.</summary>
    internal void Line(Canvas canvas, int x, int y, int width, int number)
    {
        canvas.Fill(new Rect(x, y, width, CellHeight), paper);
        var random = new Random(number);
        int columns = width / CellWidth;
        int used = number % 7 == 6 ? 0 : random.Next(columns / 3, columns);
        for (int column = random.Next(3) * 2; column < used;)
        {
            for (int left = random.Next(2, 10); left > 0 && column < used; left--, column++)
            {
                Sign(canvas, x + (column * CellWidth), y, random.Next(Signs));
            }

            column++;
        }
    }

    internal void Sign(Canvas canvas, int x, int y, int sign)
    {
        for (int row = 0; row < CellHeight; row++)
        {
            Span<uint> pixels = canvas.Row(x, y + row, CellWidth);
            ReadOnlySpan<byte> cover = s_signs[sign].AsSpan(row * CellWidth, CellWidth);
            for (int i = 0; i < pixels.Length; i++)
            {
                pixels[i] = _shades[cover[i]];
            }
        }
    }

    private static uint Blend(uint under, uint over, uint cover)
    {
        uint mixed = 0;
        for (int shift = 0; shift <= 16; shift += 8)
        {
            mixed |= ((((under >> shift) & 255) * (255 - cover)) + (((over >> shift) & 255) * cover)) / 255 << shift;
        }

        return mixed;
    }

    // Two to four strokes between the points of a grid, 1.4 pixels thick.
    private static byte[] Draw(int sign)
    {
        var random = new Random(1000 + sign);
        var cover = new byte[CellWidth * CellHeight];
        for (int strokes = random.Next(2, 5); strokes > 0; strokes--)
        {
            (double X, double Y) from = Point(random);
            (double X, double Y) to = Point(random);
            for (int i = 0; i < cover.Length; i++)
            {
                double distance = Distance(i % CellWidth + 0.5, i / CellWidth + 0.5, from, to);
                cover[i] = (byte)Math.Max(cover[i], 255 * Math.Clamp(1.2 - distance, 0, 1));
            }
        }

        return cover;
    }

    private static (double X, double Y) Point(Random random) => (1.5 + (random.Next(4) * 2), 4 + (random.Next(5) * 2.5));

    private static double Distance(double x, double y, (double X, double Y) from, (double X, double Y) to)
    {
        (double dx, double dy) = (to.X - from.X, to.Y - from.Y);
        double length = (dx * dx) + (dy * dy);
        double along = length == 0 ? 0 : Math.Clamp((((x - from.X) * dx) + ((y - from.Y) * dy)) / length, 0, 1);
        return Math.Sqrt(Math.Pow(x - from.X - (along * dx), 2) + Math.Pow(y - from.Y - (along * dy), 2));
    }
}
