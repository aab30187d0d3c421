using System.Globalization;
using System.Text;
using Vgpu.Screens;

namespace Vgpu.Testing;

/// <summary>Binary PPM (P6, 8 bits) as QEMU's screendump writes it: rows are padded to four bytes, against the format's rule.</summary>
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
        int stride = rgb.Length / height;
        Assert.InRange(stride, width * 3, (width * 3) + 3);
        var pixels = new byte[width * height * 4];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                ReadOnlySpan<byte> from = rgb.Slice((y * stride) + (x * 3), 3);
                Span<byte> to = pixels.AsSpan(((y * width) + x) * 4, 4);
                (to[0], to[1], to[2]) = (from[2], from[1], from[0]);
            }
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
