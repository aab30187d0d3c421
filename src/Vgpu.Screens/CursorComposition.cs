using System.Runtime.InteropServices;

namespace Vgpu.Screens;

/// <summary>Draws a premultiplied cursor over a B8G8R8X8 picture: Porter and Duff's "over". Any thread.</summary>
public static class CursorComposition
{
    /// <summary>The cursor's hot spot lies at (x, y) of the picture, of which it may hang over the edges. Allocates nothing.</summary>
    public static void Draw(CursorImage cursor, int x, int y, Span<byte> picture, int width, int height)
    {
        long left = (long)x - cursor.HotX;
        long top = (long)y - cursor.HotY;
        int firstColumn = (int)Math.Clamp(-left, 0, cursor.Width);
        int firstRow = (int)Math.Clamp(-top, 0, cursor.Height);
        int lastColumn = (int)Math.Clamp(width - left, 0, cursor.Width);
        int lastRow = (int)Math.Clamp(height - top, 0, cursor.Height);
        if (lastColumn <= firstColumn)
        {
            return;
        }

        ReadOnlySpan<uint> source = MemoryMarshal.Cast<byte, uint>(cursor.Pixels.Span);
        Span<uint> target = MemoryMarshal.Cast<byte, uint>(picture);
        for (int row = firstRow; row < lastRow; row++)
        {
            ReadOnlySpan<uint> over = source.Slice((row * cursor.Width) + firstColumn, lastColumn - firstColumn);
            Span<uint> under = target.Slice((int)(((top + row) * width) + left + firstColumn), over.Length);
            for (int i = 0; i < over.Length; i++)
            {
                under[i] = Over(over[i], under[i]);
            }
        }
    }

    private static uint Over(uint over, uint under)
    {
        uint rest = 255 - (over >> 24);
        return Channel(over, under, rest, 0) | Channel(over, under, rest, 8) | Channel(over, under, rest, 16) | 0xff000000;
    }

    // Rounded division by 255; a guest that sends more colour than alpha saturates.
    private static uint Channel(uint over, uint under, uint rest, int shift)
    {
        uint product = (((under >> shift) & 0xff) * rest) + 128;
        return Math.Min(255, ((over >> shift) & 0xff) + ((product + (product >> 8)) >> 8)) << shift;
    }
}
