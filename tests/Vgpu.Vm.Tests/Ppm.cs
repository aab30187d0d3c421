using System.Globalization;
using System.Text;
using Vgpu.Screens;

namespace Vgpu.Vm.Tests;

/// <summary>Binary PPM (P6, 8 bits), the form of QEMU's screendump.</summary>
public static class Ppm
{
    public static Picture Read(ReadOnlySpan<byte> file)
    {
        int position = 0;
        string magic = Word(file, ref position);
        int width = int.Parse(Word(file, ref position), CultureInfo.InvariantCulture);
        int height = int.Parse(Word(file, ref position), CultureInfo.InvariantCulture);
        int maximum = int.Parse(Word(file, ref position), CultureInfo.InvariantCulture);
        Assert.Equal(("P6", 255), (magic, maximum));
        ReadOnlySpan<byte> rgb = file[position..];
        Assert.Equal(width * height * 3, rgb.Length);
        var pixels = new byte[width * height * 4];
        for (int i = 0; i < width * height; i++)
        {
            pixels[(i * 4) + 0] = rgb[(i * 3) + 2];
            pixels[(i * 4) + 1] = rgb[(i * 3) + 1];
            pixels[(i * 4) + 2] = rgb[i * 3];
        }

        return new Picture(width, height, pixels);
    }

    private static string Word(ReadOnlySpan<byte> file, ref int position)
    {
        int start = position;
        while (!char.IsWhiteSpace((char)file[position]))
        {
            position++;
        }

        return Encoding.ASCII.GetString(file[start..position++]);
    }
}
