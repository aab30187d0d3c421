using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Vgpu.Vendors.Bochs;

// 16-bit pixels to B8G8R8X8, the low bits filled with the high ones so that white stays white.
internal static class Rgb565
{
    internal static void ToB8G8R8X8(ReadOnlySpan<byte> source, Span<byte> target)
    {
        Span<uint> pixels = MemoryMarshal.Cast<byte, uint>(target);
        for (int i = 0; i < source.Length / 2; i++)
        {
            uint value = BinaryPrimitives.ReadUInt16LittleEndian(source[(2 * i)..]);
            uint red = value >> 11;
            uint green = (value >> 5) & 0x3f;
            uint blue = value & 0x1f;
            pixels[i] = ((blue << 3) | (blue >> 2)) | (((green << 2) | (green >> 4)) << 8) | (((red << 3) | (red >> 2)) << 16);
        }
    }
}
