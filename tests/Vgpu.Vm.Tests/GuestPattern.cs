using System.Runtime.InteropServices;
using Vgpu.Screens;

namespace Vgpu.Vm.Tests;

/// <summary>The patterns of guest/pattern.h, computed here.</summary>
public static class GuestPattern
{
    public static Picture Noise(int width, int height, uint seed)
    {
        var pixels = new byte[width * height * 4];
        DrawNoise(pixels, width, new Rect(0, 0, width, height), seed);
        return new Picture(width, height, pixels);
    }

    /// <summary>The rectangles of <c>--rects</c>, in the order in which the guest draws them.</summary>
    public static IReadOnlyList<Rect> Rects(int width, int height, uint seed, int count) =>
        [.. Enumerable.Range(0, count).Select(k => RectNumber(width, height, unchecked(seed + ((uint)k * 4))))];

    /// <summary>The picture with the rectangles of <c>--rects</c> drawn over it.</summary>
    public static Picture WithRects(Picture picture, uint seed, int count)
    {
        byte[] pixels = picture.Pixels.ToArray();
        uint k = 0;
        foreach (Rect rect in Rects(picture.Width, picture.Height, seed, count))
        {
            DrawNoise(pixels, picture.Width, rect, unchecked(seed + ++k));
        }

        return picture with { Pixels = pixels };
    }

    /// <summary>The picture with drmdraw's builtin cursor over it, its top left corner at a place that may be outside.</summary>
    public static Picture WithArrow(Picture picture, int left, int top)
    {
        byte[] pixels = picture.Pixels.ToArray();
        Span<uint> words = MemoryMarshal.Cast<byte, uint>(pixels.AsSpan());
        for (int j = 0; j < 24; j++)
        {
            for (int i = 0; i <= j; i++)
            {
                (int x, int y) = (left + i, top + j);
                if (x >= 0 && y >= 0 && x < picture.Width && y < picture.Height)
                {
                    words[(y * picture.Width) + x] = i == 0 || i == j || j == 23 ? 0u : 0xffffff;
                }
            }
        }

        return picture with { Pixels = pixels };
    }

    private static void DrawNoise(byte[] pixels, int width, Rect rect, uint seed)
    {
        Span<uint> words = MemoryMarshal.Cast<byte, uint>(pixels.AsSpan());
        for (int y = rect.Y; y < rect.Bottom; y++)
        {
            for (int x = rect.X; x < rect.Right; x++)
            {
                words[(y * width) + x] = Hash(unchecked(((uint)y * 65536) + (uint)x + (seed * 0x9E3779B9))) & 0xffffff;
            }
        }
    }

    private static Rect RectNumber(int width, int height, uint seed)
    {
        int w = (int)(Hash(unchecked(seed + 1)) % 64) + 1;
        int h = (int)(Hash(unchecked(seed + 2)) % 64) + 1;
        int x = (int)(Hash(unchecked(seed + 3)) % (uint)(width - w + 1));
        int y = (int)(Hash(unchecked(seed + 4)) % (uint)(height - h + 1));
        return new Rect(x, y, w, h);
    }

    public static Picture Gradient(int width, int height, uint seed)
    {
        var pixels = new byte[width * height * 4];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                Span<byte> pixel = pixels.AsSpan(((y * width) + x) * 4, 4);
                pixel[0] = (byte)((uint)(x + y) ^ (seed >> 16));
                pixel[1] = (byte)((uint)(y * 255 / height) + (seed >> 8));
                pixel[2] = (byte)((uint)(x * 255 / width) + seed);
            }
        }

        return new Picture(width, height, pixels);
    }

    private static uint Hash(uint value)
    {
        value = value == 0 ? 0x6D2B79F5 : value;
        for (int i = 0; i < 2; i++)
        {
            value ^= value << 13;
            value ^= value >> 17;
            value ^= value << 5;
        }

        return value;
    }
}
