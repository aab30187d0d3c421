using System.Buffers.Binary;
using System.Numerics;

namespace Vgpu.Viewers.Rfb;

/// <summary>How a viewer wants pixels: PIXEL_FORMAT of RFC 6143, 7.4. Always of true colour.</summary>
internal readonly record struct RfbPixelFormat(
    byte BitsPerPixel, byte Depth, bool IsBigEndian, ushort RedMax, ushort GreenMax, ushort BlueMax, byte RedShift, byte GreenShift, byte BlueShift)
{
    internal const int Size = 16;

    /// <summary>What the screen has: bytes blue, green, red, nothing.</summary>
    internal static RfbPixelFormat Native => new(32, 24, false, 255, 255, 255, 16, 8, 0);

    internal int BytesPerPixel => BitsPerPixel / 8;

    /// <summary>Whether the three colours are whole bytes of a pixel of four: what Tight sends as three bytes.</summary>
    internal bool Is888 => BitsPerPixel == 32 && Depth == 24 && RedMax == 255 && GreenMax == 255 && BlueMax == 255;

    /// <summary>The bits that colours use.</summary>
    internal uint ColourBits => ((uint)RedMax << RedShift) | ((uint)GreenMax << GreenShift) | ((uint)BlueMax << BlueShift);

    /// <summary>Reads the 16 bytes of a PIXEL_FORMAT. Throws <see cref="RfbViolationException"/> for one that can't be had.</summary>
    internal static RfbPixelFormat Read(ReadOnlySpan<byte> bytes)
    {
        var format = new RfbPixelFormat(
            bytes[0],
            bytes[1],
            bytes[2] != 0,
            BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]),
            BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]),
            BinaryPrimitives.ReadUInt16BigEndian(bytes[8..]),
            bytes[10],
            bytes[11],
            bytes[12]);
        if (bytes[3] == 0)
        {
            throw new RfbViolationException("it asks for a colour map; only true colour is served");
        }

        return format.IsPossible ? format : throw new RfbViolationException($"it asks for a pixel format that cannot be: {format}");
    }

    internal void Write(Span<byte> bytes)
    {
        bytes[..Size].Clear();
        bytes[0] = BitsPerPixel;
        bytes[1] = Depth;
        bytes[2] = IsBigEndian ? (byte)1 : (byte)0;
        bytes[3] = 1;
        BinaryPrimitives.WriteUInt16BigEndian(bytes[4..], RedMax);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[6..], GreenMax);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[8..], BlueMax);
        bytes[10] = RedShift;
        bytes[11] = GreenShift;
        bytes[12] = BlueShift;
    }

    private bool IsPossible =>
        BitsPerPixel is 8 or 16 or 32 && Fits(RedMax, RedShift) && Fits(GreenMax, GreenShift) && Fits(BlueMax, BlueShift)
        && (((uint)RedMax << RedShift) & ((uint)GreenMax << GreenShift)) == 0
        && ((((uint)RedMax << RedShift) | ((uint)GreenMax << GreenShift)) & ((uint)BlueMax << BlueShift)) == 0;

    // One less than a power of two, within the pixel.
    private bool Fits(ushort max, byte shift) =>
        max != 0 && (max & (max + 1)) == 0 && shift < BitsPerPixel && shift + BitOperations.PopCount(max) <= BitsPerPixel;
}
