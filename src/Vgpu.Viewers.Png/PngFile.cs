using System.Buffers.Binary;
using System.IO.Compression;
using Vgpu.Screens;

namespace Vgpu.Viewers.Png;

/// <summary>
/// Writes a picture as PNG (W3C PNG, 3rd edition): truecolour of 8 bits, the Sub filter on every row, zlib at its
/// fastest. The filter makes flat areas zeros, which is most of what a screen shows.
/// </summary>
public static class PngFile
{
    private const byte TRUECOLOUR = 2;
    private const byte FILTER_SUB = 1;
    private const int BytesPerPixel = 3;

    /// <summary>
    /// Writes to a new file beside <paramref name="path"/> and renames it there: whoever looks sees the old file or the
    /// whole new one. Throws <see cref="IOException"/> and <see cref="UnauthorizedAccessException"/>.
    /// </summary>
    public static void Write(string path, Picture picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        string full = Path.GetFullPath(path);
        string temporary = Path.Combine(Path.GetDirectoryName(full) ?? "/", $".{Path.GetRandomFileName()}.png");
        try
        {
            using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                Write(file, picture);
            }

            File.Move(temporary, full, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>
    /// Writes to a stream, which stays open. Throws <see cref="ArgumentException"/> where the picture has not the pixels
    /// that it says.
    /// </summary>
    public static void Write(Stream target, Picture picture)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(picture);
        if (picture.Width < 1 || picture.Height < 1 || picture.Pixels.Length != (long)picture.Width * picture.Height * Surface.BytesPerPixel)
        {
            throw new ArgumentException($"{picture.Width}x{picture.Height} with {picture.Pixels.Length} bytes is no picture.", nameof(picture));
        }

        WriteHeader(target, picture.Width, picture.Height);
        using (var chunks = new PngChunkStream(target))
        {
            WriteRows(chunks, picture.Pixels.Span, picture.Width * Surface.BytesPerPixel, new Rect(0, 0, picture.Width, picture.Height));
        }

        WriteEnd(target);
    }

    // The signature and IHDR.
    internal static void WriteHeader(Stream target, int width, int height)
    {
        target.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a]);
        Span<byte> header = stackalloc byte[13];
        header.Clear();
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], height);
        header[8] = 8;
        header[9] = TRUECOLOUR;
        PngChunkStream.WriteChunk(target, "IHDR"u8, header);
    }

    internal static void WriteEnd(Stream target) => PngChunkStream.WriteChunk(target, "IEND"u8, []);

    // The compressed rows of a part of a picture.
    internal static void WriteRows(PngChunkStream chunks, ReadOnlySpan<byte> pixels, int stride, Rect part)
    {
        using var zlib = new ZLibStream(chunks, CompressionLevel.Fastest, leaveOpen: true);
        var filtered = new byte[1 + (part.Width * BytesPerPixel)];
        filtered[0] = FILTER_SUB;
        for (int y = part.Y; y < part.Bottom; y++)
        {
            FilterSub(pixels.Slice((y * stride) + (part.X * Surface.BytesPerPixel), part.Width * Surface.BytesPerPixel), filtered.AsSpan(1));
            zlib.Write(filtered);
        }
    }

    // From B8G8R8X8 to R, G, B, each less the pixel to its left.
    private static void FilterSub(ReadOnlySpan<byte> row, Span<byte> target)
    {
        byte blue = 0;
        byte green = 0;
        byte red = 0;
        for (int from = 0, to = 0; from + 3 < row.Length && to + 2 < target.Length; from += 4, to += BytesPerPixel)
        {
            target[to + 2] = (byte)(row[from] - blue);
            target[to + 1] = (byte)(row[from + 1] - green);
            target[to] = (byte)(row[from + 2] - red);
            blue = row[from];
            green = row[from + 1];
            red = row[from + 2];
        }
    }
}
