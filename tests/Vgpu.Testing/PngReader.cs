using System.Buffers.Binary;
using System.IO.Compression;
using Vgpu.Screens;

namespace Vgpu.Testing;

/// <summary>Reads 8-bit RGB and RGBA PNG without interlace, all five filters (W3C PNG 3rd edition), and checks every CRC.</summary>
public static class PngReader
{
    public static Picture Read(ReadOnlySpan<byte> file)
    {
        Assert.Equal([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], file[..8].ToArray());
        file = file[8..];
        int width = 0, height = 0, bytes = 0;
        using var compressed = new MemoryStream();
        while (true)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(file);
            string type = System.Text.Encoding.ASCII.GetString(file.Slice(4, 4));
            ReadOnlySpan<byte> data = file.Slice(8, length);
            Assert.Equal(SlowCrc(file.Slice(4, 4 + length)), BinaryPrimitives.ReadUInt32BigEndian(file[(8 + length)..]));
            file = file[(12 + length)..];
            if (type == "IHDR")
            {
                width = BinaryPrimitives.ReadInt32BigEndian(data);
                height = BinaryPrimitives.ReadInt32BigEndian(data[4..]);
                Assert.Equal([8, 0, 0, 0], new[] { data[8], data[10], data[11], data[12] });
                bytes = data[9] switch { 2 => 3, 6 => 4, _ => throw new InvalidDataException($"colour type {data[9]}") };
            }
            else if (type == "IDAT")
            {
                compressed.Write(data);
            }
            else if (type == "IEND")
            {
                Assert.Equal(0, file.Length);
                break;
            }
        }

        compressed.Position = 0;
        using var zlib = new ZLibStream(compressed, CompressionMode.Decompress);
        byte[] pixels = Unfilter(zlib, width, height, bytes);
        Assert.Equal(-1, zlib.ReadByte());
        return new Picture(width, height, pixels);
    }

    private static byte[] Unfilter(ZLibStream zlib, int width, int height, int bytes)
    {
        var pixels = new byte[width * height * 4];
        var row = new byte[width * bytes];
        var above = new byte[row.Length];
        for (int y = 0; y < height; y++)
        {
            int filter = zlib.ReadByte();
            zlib.ReadExactly(row);
            for (int i = 0; i < row.Length; i++)
            {
                int left = i < bytes ? 0 : row[i - bytes], up = above[i], corner = i < bytes ? 0 : above[i - bytes];
                row[i] += (byte)(filter switch { 0 => 0, 1 => left, 2 => up, 3 => (left + up) / 2, 4 => Paeth(left, up, corner), _ => throw new InvalidDataException() });
            }

            for (int x = 0; x < width; x++)
            {
                int to = ((y * width) + x) * 4;
                (pixels[to], pixels[to + 1], pixels[to + 2], pixels[to + 3]) = (row[(x * bytes) + 2], row[(x * bytes) + 1], row[x * bytes], 255);
            }

            (row, above) = (above, row);
        }

        return pixels;
    }

    private static int Paeth(int left, int up, int corner)
    {
        int p = left + up - corner, a = Math.Abs(p - left), b = Math.Abs(p - up), c = Math.Abs(p - corner);
        return a <= b && a <= c ? left : b <= c ? up : corner;
    }

    public static uint SlowCrc(ReadOnlySpan<byte> data)
    {
        uint crc = 0xffffffff;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xedb88320);
            }
        }

        return ~crc;
    }
}
