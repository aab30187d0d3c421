using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Vgpu.Screens;

/// <summary>
/// Conversion of any <see cref="PixelFormat"/> to B8G8R8X8, a row at a time. Alpha of a picture that is scanned out has
/// no meaning; X is written as 255, so that equal pictures are equal bytes.
/// </summary>
public static class PixelConversion
{
    private const uint Opaque = 0xff000000;

    /// <summary>
    /// Converts <paramref name="source"/>, whole pixels of <paramref name="format"/>, into <paramref name="target"/>,
    /// which is as long or longer and may be the same memory. Allocates nothing.
    /// </summary>
    public static void ToB8G8R8X8(ReadOnlySpan<byte> source, PixelFormat format, Span<byte> target)
    {
        ReadOnlySpan<uint> from = MemoryMarshal.Cast<byte, uint>(source);
        Span<uint> to = MemoryMarshal.Cast<byte, uint>(target)[..from.Length];
        (byte blue, byte green, byte red) = BytesOf(format);
        int done = 0;
        if (Vector256.IsHardwareAccelerated && (blue, green, red) == (0, 1, 2))
        {
            done = CopyBlocks(from, to);
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            done = ShuffleBlocks(from, to, blue, green, red);
        }

        for (int i = done; i < from.Length; i++)
        {
            uint pixel = from[i];
            to[i] = ((pixel >> (blue * 8)) & 0xff)
                | (((pixel >> (green * 8)) & 0xff) << 8)
                | (((pixel >> (red * 8)) & 0xff) << 16)
                | Opaque;
        }
    }

    // Which byte of a pixel holds which colour.
    private static (byte Blue, byte Green, byte Red) BytesOf(PixelFormat format) => format switch
    {
        PixelFormat.B8G8R8A8 or PixelFormat.B8G8R8X8 => (0, 1, 2),
        PixelFormat.A8R8G8B8 or PixelFormat.X8R8G8B8 => (3, 2, 1),
        PixelFormat.R8G8B8A8 or PixelFormat.R8G8B8X8 => (2, 1, 0),
        PixelFormat.A8B8G8R8 or PixelFormat.X8B8G8R8 => (1, 2, 3),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "No pixel format."),
    };

    private static int ShuffleBlocks(ReadOnlySpan<uint> from, Span<uint> to, byte blue, byte green, byte red)
    {
        uint first = blue | ((uint)green << 8) | ((uint)red << 16) | (3u << 24);
        Vector128<byte> order = (Vector128.Create(first) + Vector128.Create(0u, 0x04040404, 0x08080808, 0x0c0c0c0c)).AsByte();
        Vector128<uint> opaque = Vector128.Create(Opaque);
        ref uint source = ref MemoryMarshal.GetReference(from);
        ref uint target = ref MemoryMarshal.GetReference(to);
        int i = 0;
        for (; i + Vector128<uint>.Count <= from.Length; i += Vector128<uint>.Count)
        {
            Vector128<byte> pixels = Vector128.LoadUnsafe(ref source, (nuint)i).AsByte();
            (Vector128.ShuffleNative(pixels, order).AsUInt32() | opaque).StoreUnsafe(ref target, (nuint)i);
        }

        return i;
    }

    // Where every colour is in its place already.
    private static int CopyBlocks(ReadOnlySpan<uint> from, Span<uint> to)
    {
        Vector256<uint> opaque = Vector256.Create(Opaque);
        ref uint source = ref MemoryMarshal.GetReference(from);
        ref uint target = ref MemoryMarshal.GetReference(to);
        int i = 0;
        for (; i + Vector256<uint>.Count <= from.Length; i += Vector256<uint>.Count)
        {
            // Sound: from and to are equally long.
            (Vector256.LoadUnsafe(ref source, (nuint)i) | opaque).StoreUnsafe(ref target, (nuint)i);
        }

        return i;
    }
}
