using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Vgpu.Vfio.Iommu;

/// <summary>
/// Copies of whole pictures: past the caches, since nobody reads a frame's bytes again before they would be thrown out,
/// and with the block that comes next on its way while one is copied. Scattered pages then cost no more than one run,
/// which a plain copy, whose hardware prefetch ends with the page, can't do.
/// </summary>
internal static unsafe class StreamingCopy
{
    /// <summary>Bytes of a copy from which on streaming pays: what is smaller stays in the caches for its reader.</summary>
    internal const ulong Threshold = 1 << 20;

    /// <summary>Bytes copied with one look ahead: a page, so that two blocks fit the first cache with room to spare.</summary>
    private const ulong BlockSize = 4096;

    private const nuint Line = 64;
    private const nuint Step = 128;

    /// <summary>
    /// Copies <paramref name="length"/> bytes. <paramref name="after"/> is where the copy that follows will read, and is
    /// only looked ahead to. <see cref="Finish"/> comes after the last.
    /// </summary>
    // Sound where both ranges are: a prefetch reads no memory that could fault.
    internal static void Copy(byte* from, byte* to, ulong length, byte* after)
    {
        while (length != 0)
        {
            ulong block = Math.Min(length, BlockSize);
            CopyBlock(from, to, (nuint)block, length > BlockSize ? from + BlockSize : after);
            from += block;
            to += block;
            length -= block;
        }
    }

    /// <summary>Makes what was copied visible to other threads before anything stored later: streaming stores are not ordered by themselves.</summary>
    internal static void Finish() => Interlocked.MemoryBarrier();

    private static void CopyBlock(byte* from, byte* to, nuint length, byte* next)
    {
        // Streaming stores want aligned places: the first bytes go the plain way.
        nuint head = Math.Min(length, (nuint)(-(nint)to) & (nuint)(Vector256<byte>.Count - 1));
        Buffer.MemoryCopy(from, to, head, head);
        nuint at = head;
        for (; at + Step <= length; at += Step)
        {
            if (Sse.IsSupported)
            {
                Sse.Prefetch0(next + at);
                Sse.Prefetch0(next + at + Line);
            }

            Vector256<byte> first = Vector256.Load(from + at);
            Vector256<byte> second = Vector256.Load(from + at + 32);
            Vector256<byte> third = Vector256.Load(from + at + 64);
            Vector256<byte> fourth = Vector256.Load(from + at + 96);
            first.StoreAlignedNonTemporal(to + at);
            second.StoreAlignedNonTemporal(to + at + 32);
            third.StoreAlignedNonTemporal(to + at + 64);
            fourth.StoreAlignedNonTemporal(to + at + 96);
        }

        Buffer.MemoryCopy(from + at, to + at, length - at, length - at);
    }
}
