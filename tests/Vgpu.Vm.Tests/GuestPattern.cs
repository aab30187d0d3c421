using System.Runtime.InteropServices;
using Vgpu.Screens;

namespace Vgpu.Vm.Tests;

/// <summary>The patterns of guest/pattern.h, computed here.</summary>
public static class GuestPattern
{
    public static Picture Noise(int width, int height, uint seed)
    {
        var pixels = new byte[width * height * 4];
        Span<uint> words = MemoryMarshal.Cast<byte, uint>(pixels.AsSpan());
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                words[(y * width) + x] = Hash(unchecked(((uint)y * 65536) + (uint)x + (seed * 0x9E3779B9))) & 0xffffff;
            }
        }

        return new Picture(width, height, pixels);
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
