using System.Runtime.InteropServices;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// The cursor's picture for viewers that draw it themselves: Cursor (RFC 6143, 7.8.1) and Cursor With Alpha (rfbproto). No
/// cursor is one of no size.
/// </summary>
internal static class CursorEncoder
{
    /// <summary>A whole rectangle, header included.</summary>
    internal static void Encode(CursorImage? image, bool withAlpha, ViewerFormat format, OutputBuffer to)
    {
        to.U16(Math.Clamp(image?.HotX ?? 0, 0, Math.Max(0, (image?.Width ?? 0) - 1)));
        to.U16(Math.Clamp(image?.HotY ?? 0, 0, Math.Max(0, (image?.Height ?? 0) - 1)));
        to.U16(image?.Width ?? 0);
        to.U16(image?.Height ?? 0);
        to.U32(unchecked((uint)(withAlpha ? RfbProtocol.EncodingCursorWithAlpha : RfbProtocol.EncodingCursor)));
        if (withAlpha)
        {
            to.U32(RfbProtocol.EncodingRaw);
        }

        if (image is null)
        {
            return;
        }

        ReadOnlySpan<uint> pixels = MemoryMarshal.Cast<byte, uint>(image.Pixels.Span);
        if (withAlpha)
        {
            WriteRgba(pixels, to);
        }
        else
        {
            WriteMasked(pixels, image.Width, image.Height, format.Plain, to);
        }
    }

    private static void WriteRgba(ReadOnlySpan<uint> pixels, OutputBuffer to)
    {
        Span<byte> target = to.Take(pixels.Length * 4);
        for (int i = 0; i < pixels.Length; i++)
        {
            uint pixel = pixels[i];
            target[i * 4] = (byte)(pixel >> 16);
            target[(i * 4) + 1] = (byte)(pixel >> 8);
            target[(i * 4) + 2] = (byte)pixel;
            target[(i * 4) + 3] = (byte)(pixel >> 24);
        }
    }

    // Half seen or more is seen whole, in the colour that it had before it was multiplied with its alpha.
    private static void WriteMasked(ReadOnlySpan<uint> pixels, int width, int height, PixelPacker packer, OutputBuffer to)
    {
        Span<byte> target = to.Take(pixels.Length * packer.Size);
        for (int i = 0; i < pixels.Length; i++)
        {
            packer.Pack([Undo(pixels[i])], target.Slice(i * packer.Size, packer.Size));
        }

        int rowLength = (width + 7) / 8;
        Span<byte> mask = to.Take(rowLength * height);
        mask.Clear();
        for (int i = 0; i < pixels.Length; i++)
        {
            if (pixels[i] >> 24 >= 128)
            {
                mask[(i / width * rowLength) + (i % width / 8)] |= (byte)(0x80 >> (i % width % 8));
            }
        }
    }

    private static uint Undo(uint pixel)
    {
        uint alpha = pixel >> 24;
        if (alpha is 0 or 255)
        {
            return pixel | 0xff000000;
        }

        return 0xff000000 | Channel(pixel, alpha, 0) | Channel(pixel, alpha, 8) | Channel(pixel, alpha, 16);
    }

    private static uint Channel(uint pixel, uint alpha, int shift) =>
        Math.Min(255, ((((pixel >> shift) & 0xff) * 255) + (alpha / 2)) / alpha) << shift;
}
