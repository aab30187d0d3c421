using System.Runtime.InteropServices;
using Vgpu.Linux;

namespace Vgpu.Vfio.Iommu;

/// <summary>One entry of a guest's backing list.</summary>
/// <param name="Iova">The guest's address of the first byte, of any alignment.</param>
/// <param name="Length">Bytes; an entry of 0 holds nothing and is passed over.</param>
public readonly record struct DmaEntry(ulong Iova, uint Length);

/// <summary>
/// Guest memory in pieces that reads as one: struct sg_table and the copies of lib/scatterlist.c, over a
/// <see cref="Type2"/>. Translated once and kept until an unmap touches it. Entries that are neighbours in this process
/// are one run, so a guest whose memory is one map costs an offset. Copies allocate nothing.
/// </summary>
/// <remarks>
/// Every member wants the device's lock held: it keeps the runs alive, and <see cref="VfioDevice.DmaUnmap"/> must call
/// <see cref="Drop"/>. An access answers EPERM while bus mastering is off, also when all is translated.
/// </remarks>
public sealed unsafe partial class DmaScatterList
{
    private readonly Type2 _iommu;
    private readonly IommuProtection _protection;
    private readonly int _maxRuns;
    private readonly Segment[] _segments;
    private readonly List<HostRun> _runs = [];
    private ulong[] _ends = [];
    private int _cursor;
    private bool _resolved;

    /// <summary>
    /// Takes a copy of <paramref name="entries"/>; nothing is translated before the first use. More than
    /// <paramref name="maxRuns"/> runs are E2BIG.
    /// </summary>
    public DmaScatterList(Type2 iommu, ReadOnlySpan<DmaEntry> entries, IommuProtection protection, int maxRuns = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(iommu);
        _maxRuns = maxRuns;
        _iommu = iommu;
        _protection = protection;
        var segments = new List<Segment>(entries.Length);
        foreach (DmaEntry entry in entries)
        {
            if (entry.Length == 0)
            {
                continue;
            }

            // No sum overflows: a span has fewer than 2^31 entries of less than 2^32 bytes.
            if (segments.Count != 0 && segments[^1].End == entry.Iova && entry.Iova != 0)
            {
                segments[^1] = segments[^1] with { Length = segments[^1].Length + entry.Length };
            }
            else
            {
                segments.Add(new Segment(entry.Iova, entry.Length, Length));
            }

            Length += entry.Length;
        }

        _segments = [.. segments];
    }

    /// <summary>Bytes of all entries together.</summary>
    public ulong Length { get; }

    /// <summary>
    /// The translated runs in order, neighbours in this process joined (the Iova of a joined run is that of its first
    /// byte); empty after a drop until <see cref="Resolve"/>.
    /// </summary>
    public IReadOnlyList<HostRun> Runs => _runs;

    /// <summary><see cref="Runs"/> as a span, valid until the next call.</summary>
    public ReadOnlySpan<HostRun> RunSpan => CollectionsMarshal.AsSpan(_runs);

    /// <summary>
    /// Translates what is not translated. EFAULT: an entry is not mapped now, or wraps; EPERM: it may not be touched so,
    /// or bus mastering is off; E2BIG: too many runs. Nothing is translated then, and the next use tries again.
    /// </summary>
    public Errno Resolve()
    {
        if (!_iommu.BusMaster)
        {
            return Errno.EPERM;
        }

        return _resolved ? Errno.None : Translate();
    }

    /// <summary>
    /// Forgets the runs if an entry touches [<paramref name="iova"/>, iova + <paramref name="length"/>); the next use
    /// translates again. For <see cref="VfioDevice.DmaUnmap"/>.
    /// </summary>
    public void Drop(ulong iova, ulong length)
    {
        if (!_resolved || length == 0)
        {
            return;
        }

        ulong last = length - 1 > ulong.MaxValue - iova ? ulong.MaxValue : iova + (length - 1);
        foreach (ref readonly Segment segment in _segments.AsSpan())
        {
            if (segment.Iova <= last && iova <= segment.Last)
            {
                Forget();
                return;
            }
        }
    }

    /// <summary>
    /// Copies out of guest memory, from <paramref name="offset"/> on; translates first where needed. EINVAL: past the
    /// end; else as for <see cref="Resolve"/>.
    /// </summary>
    public Errno CopyTo(ulong offset, Span<byte> destination)
    {
        // Sound: the span is pinned for the copy, which stays within its length.
        fixed (byte* to = destination)
        {
            return CopyRowsTo(offset, 0, to, 0, (ulong)destination.Length, 1);
        }
    }

    /// <summary>
    /// Copies <paramref name="rows"/> rows of <paramref name="rowLength"/> bytes: row i comes from
    /// <paramref name="offset"/> + i * <paramref name="guestStride"/> and goes to <paramref name="destination"/> + i *
    /// <paramref name="stride"/>. Rows without gaps on either side are one copy. Errors as for <see cref="CopyTo"/>.
    /// </summary>
    /// <remarks>The caller vouches for the destination: rows of that stride and length.</remarks>
    public Errno CopyRowsTo(ulong offset, ulong guestStride, byte* destination, ulong stride, ulong rowLength, int rows)
    {
        Errno error = Check(offset, guestStride, rowLength, rows, IommuProtection.IOMMU_READ);
        if (error != Errno.None || rowLength == 0 || rows == 0)
        {
            return error;
        }

        if (guestStride == rowLength && stride == rowLength)
        {
            rowLength *= (ulong)rows;
            rows = 1;
        }

        bool streaming = rowLength * (ulong)rows >= StreamingCopy.Threshold;
        for (int row = 0; row < rows; row++)
        {
            Copy(offset, destination, rowLength, write: false, streaming);
            offset += guestStride;
            destination += stride;
        }

        if (streaming)
        {
            StreamingCopy.Finish();
        }

        return Errno.None;
    }

    /// <summary>
    /// Copies into guest memory, from <paramref name="offset"/> on, and marks it dirty. EPERM: the list was not made
    /// with IOMMU_WRITE; else as for <see cref="CopyTo"/>.
    /// </summary>
    public Errno CopyFrom(ulong offset, ReadOnlySpan<byte> source)
    {
        Errno error = Check(offset, 0, (ulong)source.Length, 1, IommuProtection.IOMMU_WRITE);
        if (error != Errno.None || source.IsEmpty)
        {
            return error;
        }

        // Sound: the span is pinned for the copy, which stays within its length and only reads it.
        fixed (byte* from = source)
        {
            Copy(offset, from, (ulong)source.Length, write: true, streaming: false);
        }

        MarkDirty(offset, (ulong)source.Length);
        return Errno.None;
    }

    private Errno Check(ulong offset, ulong guestStride, ulong rowLength, int rows, IommuProtection access)
    {
        if (rows < 0)
        {
            return Errno.EINVAL;
        }

        UInt128 end = (UInt128)offset + ((UInt128)guestStride * (uint)Math.Max(rows - 1, 0)) + rowLength;
        return end > Length ? Errno.EINVAL
            : (_protection & access) != access ? Errno.EPERM
            : Resolve();
    }

    private Errno Translate()
    {
        foreach (ref readonly Segment segment in _segments.AsSpan())
        {
            Errno error = _iommu.ResolveRuns(segment.Iova, segment.Length, _protection, _runs, joinByAddress: true, _maxRuns);
            if (error != Errno.None)
            {
                Forget();
                return error;
            }
        }

        if (_ends.Length < _runs.Count)
        {
            _ends = new ulong[_runs.Count];
        }

        ulong end = 0;
        for (int i = 0; i < _runs.Count; i++)
        {
            end += _runs[i].Length;
            _ends[i] = end;
        }

        _cursor = 0;
        _resolved = true;
        return Errno.None;
    }

    private void Forget()
    {
        _runs.Clear();
        _resolved = false;
    }

    // Sound: Check saw that the range lies within the list and that all runs are translated; the caller holds the
    // device's lock, so none has been unmapped.
    private void Copy(ulong offset, byte* memory, ulong length, bool write, bool streaming)
    {
        ReadOnlySpan<HostRun> runs = RunSpan;
        int index = RunAt(offset);
        ulong skip = offset - (_ends[index] - runs[index].Length);
        while (true)
        {
            ref readonly HostRun run = ref runs[index];
            ulong piece = Math.Min(length, run.Length - skip);
            byte* guest = (byte*)run.Address + skip;
            if (streaming)
            {
                StreamingCopy.Copy(guest, memory, piece, index + 1 < runs.Length ? (byte*)runs[index + 1].Address : guest);
            }
            else
            {
                Buffer.MemoryCopy(write ? memory : guest, write ? guest : memory, piece, piece);
            }

            length -= piece;
            if (length == 0)
            {
                _cursor = index;
                return;
            }

            memory += piece;
            skip = 0;
            index++;
        }
    }

    // The run that holds an offset: where the last copy ended, or the one after, or by search.
    private int RunAt(ulong offset)
    {
        ReadOnlySpan<ulong> ends = _ends.AsSpan(0, _runs.Count);
        for (int index = _cursor; index < ends.Length && index <= _cursor + 1; index++)
        {
            if (offset < ends[index] && (index == 0 || offset >= ends[index - 1]))
            {
                return index;
            }
        }

        int found = ends.BinarySearch(offset);
        return found >= 0 ? found + 1 : ~found;
    }

    private void MarkDirty(ulong offset, ulong length)
    {
        int low = 0;
        int high = _segments.Length - 1;
        while (low < high)
        {
            int middle = (low + high + 1) >> 1;
            (low, high) = _segments[middle].Offset <= offset ? (middle, high) : (low, middle - 1);
        }

        for (; length != 0; low++)
        {
            ref readonly Segment segment = ref _segments[low];
            ulong skip = offset - segment.Offset;
            ulong piece = Math.Min(length, segment.Length - skip);
            _iommu.MarkDirty(segment.Iova + skip, piece);
            offset += piece;
            length -= piece;
        }
    }

    // Entries that follow each other for the guest, joined. One that wraps touches everything above its start, and
    // fails to translate.
    internal readonly record struct Segment(ulong Iova, ulong Length, ulong Offset)
    {
        internal ulong End => Iova + Length;

        internal ulong Last => Length - 1 > ulong.MaxValue - Iova ? ulong.MaxValue : Iova + (Length - 1);
    }
}
