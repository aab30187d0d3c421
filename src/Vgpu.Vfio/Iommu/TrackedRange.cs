using Vgpu.Linux;

namespace Vgpu.Vfio.Iommu;

/// <summary>
/// The bits of one range of tracked pages, and a summary of them: a bit for each block of bits that was ever touched, so
/// that a report on a range far larger than memory costs what was written to, not what could have been. Guarded by the
/// log's lock. Throws <see cref="LinuxException"/> where the memory can't be had.
/// </summary>
internal sealed unsafe class TrackedRange : IDisposable
{
    /// <summary>Tracked pages whose bits fill one page of memory.</summary>
    internal const ulong PagesInBlock = 1UL << BlockShift;

    private const int BlockShift = 15;

    private readonly int _shift;
    private readonly MemoryMapping _bits;
    private readonly MemoryMapping _touched;

    private TrackedRange(ulong iova, ulong last, int shift, MemoryMapping bits, MemoryMapping touched)
    {
        Iova = iova;
        Last = last;
        _shift = shift;
        _bits = bits;
        _touched = touched;
    }

    internal ulong Iova { get; }

    internal ulong Last { get; }

    /// <summary>log2 of the bytes that a bit stands for.</summary>
    internal int Shift => _shift;

    /// <summary>Bytes of the bits.</summary>
    internal ulong Length => _bits.Length;

    internal static TrackedRange Make(ulong iova, ulong last, int shift, ulong bytes)
    {
        MemoryMapping bits = MemoryMapping.Anonymous(bytes);
        try
        {
            return new TrackedRange(iova, last, shift, bits, MemoryMapping.Anonymous(((bytes >> BlockShift) + 1) * sizeof(ulong)));
        }
        catch
        {
            bits.Dispose();
            throw;
        }
    }

    /// <summary>The index of the tracked page that holds an address of the range.</summary>
    internal ulong PageOf(ulong iova) => (iova - Iova) >> _shift;

    /// <summary>Whether any page of the block that this one is in was ever marked.</summary>
    internal bool IsTouched(ulong page) => (Touched(page) & (1UL << (int)((page >> BlockShift) & 63))) != 0;

    /// <summary>The 64 bits that this page's is in.</summary>
    // Sound: a page of the range lies within its bits.
    internal ref ulong Word(ulong page) => ref ((ulong*)_bits.Pointer)[page >> 6];

    /// <summary>Sets bits in the word of this page.</summary>
    internal void Set(ulong page, ulong mask)
    {
        Word(page) |= mask;
        Touched(page) |= 1UL << (int)((page >> BlockShift) & 63);
    }

    public void Dispose()
    {
        _bits.Dispose();
        _touched.Dispose();
    }

    // Sound: one bit for each page of memory of the bits, rounded up to words.
    private ref ulong Touched(ulong page) => ref ((ulong*)_touched.Pointer)[page >> (BlockShift + 6)];
}
