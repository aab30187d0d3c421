using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// Turns the screen's pixels into a viewer's: PIXEL, and the shorter CPIXEL of ZRLE and TPIXEL of Tight (RFC 6143, 7.7.5 and
/// 7.7.6; rfbproto). Never changes; any thread.
/// </summary>
internal sealed class PixelPacker
{
    private readonly uint[] _red = new uint[256];
    private readonly uint[] _green = new uint[256];
    private readonly uint[] _blue = new uint[256];
    private readonly bool _isSame;
    private readonly bool _isSwapped;

    private PixelPacker(RfbPixelFormat format, int size, int skip)
    {
        Size = size;
        _isSame = size == 4 && format with { Depth = 24 } == RfbPixelFormat.Native;
        _isSwapped = size == 4 && format with { Depth = 24 } == RfbPixelFormat.Native with { RedShift = 0, BlueShift = 16 };
        Fill(_red, format, format.RedMax, format.RedShift, skip);
        Fill(_green, format, format.GreenMax, format.GreenShift, skip);
        Fill(_blue, format, format.BlueMax, format.BlueShift, skip);
    }

    /// <summary>Bytes of a pixel, 1 to 4.</summary>
    internal int Size { get; }

    /// <summary>PIXEL.</summary>
    internal static PixelPacker Plain(RfbPixelFormat format) => new(format, format.BytesPerPixel, 0);

    /// <summary>CPIXEL: without the byte that no colour uses, where a pixel of four has one at an end.</summary>
    internal static PixelPacker Compact(RfbPixelFormat format)
    {
        bool isLow = format.ColourBits <= 0xffffff;
        bool isHigh = (format.ColourBits & 0xff) == 0;
        return format.BitsPerPixel == 32 && format.Depth <= 24 && (isLow || isHigh)
            ? new PixelPacker(format, 3, isLow == format.IsBigEndian ? 1 : 0)
            : Plain(format);
    }

    /// <summary>TPIXEL: red, green, blue.</summary>
    internal static PixelPacker Tight(RfbPixelFormat format) => format.Is888
        ? new PixelPacker(RfbPixelFormat.Native with { RedShift = 0, GreenShift = 8, BlueShift = 16 }, 3, 0)
        : Plain(format);

    /// <summary>Writes <see cref="Size"/> bytes a pixel.</summary>
    internal void Pack(ReadOnlySpan<uint> pixels, Span<byte> target)
    {
        if (_isSame)
        {
            MemoryMarshal.AsBytes(pixels).CopyTo(target);
        }
        else if (_isSwapped)
        {
            // Swapping red and blue is its own inverse: what reads R8G8B8X8 as B8G8R8X8 writes the one from the other.
            PixelConversion.ToB8G8R8X8(MemoryMarshal.AsBytes(pixels), PixelFormat.R8G8B8X8, target);
        }
        else
        {
            PackEach(pixels, target);
        }
    }

    private void PackEach(ReadOnlySpan<uint> pixels, Span<byte> target)
    {
        int size = Size;
        int i = 0;
        // Four bytes at a time, of which the next pixel overwrites what is too much, as long as that stays within.
        for (; i < pixels.Length && (i * size) + 4 <= target.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(target[(i * size)..], ValueOf(pixels[i]));
        }

        for (; i < pixels.Length; i++)
        {
            uint value = ValueOf(pixels[i]);
            for (int part = 0; part < size; part++)
            {
                target[(i * size) + part] = (byte)(value >> (8 * part));
            }
        }
    }

    // The pixel's bytes as they go out, first byte lowest.
    private uint ValueOf(uint pixel) => _red[(byte)(pixel >> 16)] | _green[(byte)(pixel >> 8)] | _blue[(byte)pixel];

    private static void Fill(uint[] table, RfbPixelFormat format, ushort max, byte shift, int skip)
    {
        for (int i = 0; i < table.Length; i++)
        {
            uint value = (uint)(((i * max) + 127) / 255) << shift;
            value = format.IsBigEndian ? BinaryPrimitives.ReverseEndianness(value) >> (32 - format.BitsPerPixel) : value;
            table[i] = value >> (8 * skip);
        }
    }
}
