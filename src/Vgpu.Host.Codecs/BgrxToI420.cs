using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Vgpu.Host.Codecs;

// B8G8R8X8 to Y'CbCr by ITU-R BT.601 in its limited range, in 8-bit fixed point: what decoders take a stream below HD for,
// and what ours say in their VUI. A colour is the mean of 2x2 pixels. Sixteen pixels a step where the machine has vectors;
// both ways give the same bytes.
internal static class BgrxToI420
{
    private const int Step = 16;
    private const uint LumaOffset = (16 << 8) + 128;
    private const uint ChromaOffset = (128 << 8) + 128;
    private const ushort YB = 25;
    private const ushort YG = 129;
    private const ushort YR = 66;

    // Negative weights are their complements: sums are taken modulo 65536, and each whole sum is within it.
    private const ushort UB = 112;
    private const ushort UG = unchecked((ushort)-74);
    private const ushort UR = unchecked((ushort)-38);
    private const ushort VB = unchecked((ushort)-18);
    private const ushort VG = unchecked((ushort)-94);
    private const ushort VR = 112;

    // One row; target may be longer by one, for the last pixel again.
    internal static void Luma(ReadOnlySpan<uint> row, Span<byte> target)
    {
        int x = Vector128.IsHardwareAccelerated ? LumaSteps(row, target) : 0;
        for (; x < target.Length; x++)
        {
            uint pixel = row[Math.Min(x, row.Length - 1)];
            target[x] = (byte)(((YB * (pixel & 0xff)) + (YG * ((pixel >> 8) & 0xff)) + (YR * ((pixel >> 16) & 0xff)) + LumaOffset) >> 8);
        }
    }

    // Two rows of one length; the targets have half as many, rounded up.
    internal static void Chroma(ReadOnlySpan<uint> upper, ReadOnlySpan<uint> lower, Span<byte> u, Span<byte> v)
    {
        int x = Vector128.IsHardwareAccelerated ? ChromaSteps(upper, lower, u, v) : 0;
        for (; x < u.Length; x++)
        {
            int left = 2 * x;
            int right = Math.Min(left + 1, upper.Length - 1);
            uint blue = Mean(upper[left], upper[right], lower[left], lower[right], 0);
            uint green = Mean(upper[left], upper[right], lower[left], lower[right], 8);
            uint red = Mean(upper[left], upper[right], lower[left], lower[right], 16);
            u[x] = (byte)((ushort)((UB * blue) + (UG * green) + (UR * red) + ChromaOffset) >> 8);
            v[x] = (byte)((ushort)((VB * blue) + (VG * green) + (VR * red) + ChromaOffset) >> 8);
        }
    }

    private static uint Mean(uint a, uint b, uint c, uint d, int shift) =>
        (((a >> shift) & 0xff) + ((b >> shift) & 0xff) + ((c >> shift) & 0xff) + ((d >> shift) & 0xff) + 2) >> 2;

    private static int LumaSteps(ReadOnlySpan<uint> row, Span<byte> target)
    {
        ref uint source = ref MemoryMarshal.GetReference(row);
        ref byte to = ref MemoryMarshal.GetReference(target);
        int x = 0;
        for (; x + Step <= row.Length && x + Step <= target.Length; x += Step)
        {
            Vector128<ushort> first = Vector128.Narrow(LumaOf(ref source, x), LumaOf(ref source, x + 4));
            Vector128<ushort> second = Vector128.Narrow(LumaOf(ref source, x + 8), LumaOf(ref source, x + 12));
            // Sound: x + 16 is within both spans.
            Vector128.Narrow(first, second).StoreUnsafe(ref to, (nuint)x);
        }

        return x;
    }

    private static Vector128<uint> LumaOf(ref uint source, int x)
    {
        Vector128<uint> pixels = Vector128.LoadUnsafe(ref source, (nuint)x);
        return Weigh(pixels & Vector128.Create(0x00ff00ffu), (pixels >> 8) & Vector128.Create(0xffu), YB, YG, YR, LumaOffset);
    }

    // Blue and red in the low and high half of each 32 bits, green alone in the low one.
    private static Vector128<uint> Weigh(Vector128<uint> blueRed, Vector128<uint> green, ushort blueWeight, ushort greenWeight, ushort redWeight, uint offset)
    {
        Vector128<uint> weighed = (blueRed.AsUInt16() * Vector128.Create(blueWeight | ((uint)redWeight << 16)).AsUInt16()).AsUInt32();
        Vector128<uint> weighedGreen = (green.AsUInt16() * Vector128.Create(greenWeight)).AsUInt32();
        return ((weighed + (weighed >> 16) + weighedGreen + Vector128.Create(offset)) & Vector128.Create(0xffffu)) >> 8;
    }

    private static int ChromaSteps(ReadOnlySpan<uint> upper, ReadOnlySpan<uint> lower, Span<byte> u, Span<byte> v)
    {
        ref uint above = ref MemoryMarshal.GetReference(upper);
        ref uint below = ref MemoryMarshal.GetReference(lower);
        int x = 0;
        for (; x + Step <= upper.Length && x + Step <= lower.Length; x += Step)
        {
            ChromaOf(ref above, ref below, x, out Vector128<uint> firstU, out Vector128<uint> firstV);
            ChromaOf(ref above, ref below, x + (Step / 2), out Vector128<uint> secondU, out Vector128<uint> secondV);
            Vector128<ushort> allU = Vector128.Narrow(firstU, secondU);
            Vector128<ushort> allV = Vector128.Narrow(firstV, secondV);
            // Each slice is eight long, or the copy throws.
            Vector64.Narrow(allU.GetLower(), allU.GetUpper()).CopyTo(u[(x / 2)..]);
            Vector64.Narrow(allV.GetLower(), allV.GetUpper()).CopyTo(v[(x / 2)..]);
        }

        return x / 2;
    }

    // Four colours of 8x2 pixels.
    private static void ChromaOf(ref uint above, ref uint below, int x, out Vector128<uint> u, out Vector128<uint> v)
    {
        Sums(ref above, ref below, x, out Vector128<ulong> firstBlueRed, out Vector128<ulong> firstGreen);
        Sums(ref above, ref below, x + 4, out Vector128<ulong> secondBlueRed, out Vector128<ulong> secondGreen);
        Vector128<ushort> two = Vector128.Create((ushort)2);
        Vector128<uint> blueRed = ((Vector128.Narrow(firstBlueRed, secondBlueRed).AsUInt16() + two) >> 2).AsUInt32();
        Vector128<uint> green = (Vector128.Narrow(firstGreen, secondGreen) + Vector128.Create(2u)) >> 2;
        u = Weigh(blueRed, green, UB, UG, UR, ChromaOffset);
        v = Weigh(blueRed, green, VB, VG, VR, ChromaOffset);
    }

    // The sums of 2x2 pixels, in the low 32 bits of each 64; at most 1020, so that halves do not run into each other.
    private static void Sums(ref uint above, ref uint below, int x, out Vector128<ulong> blueRed, out Vector128<ulong> green)
    {
        Vector128<uint> upper = Vector128.LoadUnsafe(ref above, (nuint)x);
        Vector128<uint> lower = Vector128.LoadUnsafe(ref below, (nuint)x);
        Vector128<uint> mask = Vector128.Create(0x00ff00ffu);
        Vector128<uint> low = Vector128.Create(0xffu);
        Vector128<ulong> pairs = ((upper & mask) + (lower & mask)).AsUInt64();
        Vector128<ulong> greens = (((upper >> 8) & low) + ((lower >> 8) & low)).AsUInt64();
        blueRed = pairs + (pairs >> 32);
        green = greens + (greens >> 32);
    }
}
