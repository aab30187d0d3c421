using System.Numerics;
using Vgpu.Linux;

namespace Vgpu.Vfio.Iommu;

/// <summary>
/// Which pages a device wrote to: the bitmaps behind the DMA logging feature of linux/vfio.h. One bit a page, in memory
/// that the kernel gives when it is touched, so that the ranges of a large guest cost nothing by themselves. Thread-safe
/// by a lock of its own, the last in the order.
/// </summary>
internal sealed class DirtyLog
{
    // 64 GiB of addresses for bits: 2 PiB of guest.
    private const ulong MaxBitmapBytes = 1UL << 36;

    // Each is a mapping of this process, and is looked at for every write.
    private const int MaxRanges = 4096;

    // 8 GiB of addresses for their bits.
    private const int CommonAddressBits = 48;

    private readonly Lock _lock = new();
    private readonly List<TrackedRange> _ranges = [];
    private bool _all;

    /// <summary>Tracks one range more; see <see cref="Type2.StartDirtyTracking(ulong, ulong, ulong)"/>.</summary>
    internal Errno Add(ulong iova, ulong length, ulong pageSize)
    {
        if (length == 0 || !IsPageSize(pageSize) || ((iova | length) & (pageSize - 1)) != 0)
        {
            return Errno.EINVAL;
        }

        if (length - 1 > ulong.MaxValue - iova)
        {
            return Errno.EOVERFLOW;
        }

        ulong last = iova + (length - 1);
        int shift = BitOperations.TrailingZeroCount(pageSize);
        ulong bytes = ((((length - 1) >> shift) >> 6) + 1) * sizeof(ulong);
        lock (_lock)
        {
            ulong total = bytes;
            foreach (TrackedRange range in _ranges)
            {
                if (iova <= range.Last && range.Iova <= last)
                {
                    return Errno.EINVAL;
                }

                total += range.Length;
            }

            if (total > MaxBitmapBytes || _ranges.Count == MaxRanges)
            {
                return Errno.ENOMEM;
            }

            try
            {
                _ranges.Add(TrackedRange.Make(iova, last, shift, bytes));
                return Errno.None;
            }
            catch (LinuxException e)
            {
                return e.Errno;
            }
        }
    }

    /// <summary>
    /// Tracks everything: the addresses that most machines have at once, any other as it is mapped; see <see cref="Cover"/>.
    /// </summary>
    internal Errno AddAll(ulong pageSize)
    {
        _all = true;
        return IsPageSize(pageSize) ? Add(0, Math.Max(pageSize, 1UL << CommonAddressBits), pageSize) : Errno.EINVAL;
    }

    /// <summary>Tracks those pages of a map that are not tracked yet, where everything is to be.</summary>
    internal Errno Cover(ulong iova, ulong last)
    {
        lock (_lock)
        {
            while (_all)
            {
                int at = _ranges.FindIndex(range => range.Iova <= iova && iova <= range.Last);
                if (at >= 0)
                {
                    if (last <= _ranges[at].Last)
                    {
                        return Errno.None;
                    }

                    iova = _ranges[at].Last + 1;
                    continue;
                }

                ulong end = last;
                foreach (TrackedRange range in _ranges)
                {
                    end = range.Iova > iova ? Math.Min(end, range.Iova - 1) : end;
                }

                Errno error = Add(iova, end - iova + 1, Type2.PageSize);
                if (error != Errno.None)
                {
                    return error;
                }
            }
        }

        return Errno.None;
    }

    /// <summary>Forgets all ranges.</summary>
    internal void Clear()
    {
        lock (_lock)
        {
            foreach (TrackedRange range in _ranges)
            {
                range.Dispose();
            }

            _ranges.Clear();
        }
    }

    /// <summary>Sets the bit of each tracked page that [iova, iova + length), which does not wrap, touches.</summary>
    internal void Mark(ulong iova, ulong length)
    {
        if (length == 0)
        {
            return;
        }

        ulong last = length - 1 > ulong.MaxValue - iova ? ulong.MaxValue : iova + (length - 1);
        lock (_lock)
        {
            foreach (TrackedRange range in _ranges)
            {
                if (iova > range.Last || range.Iova > last)
                {
                    continue;
                }

                ulong end = range.PageOf(Math.Min(last, range.Last));
                for (ulong page = range.PageOf(Math.Max(iova, range.Iova)); page <= end;)
                {
                    ulong wordEnd = Math.Min(end, page | 63);
                    range.Set(page, Mask(page, wordEnd));
                    page = wordEnd + 1;
                }
            }
        }
    }

    /// <summary>Reports and forgets; see <see cref="Type2.ReadDirty"/>.</summary>
    internal Errno Read(ulong iova, ulong length, ulong pageSize, Span<byte> bitmap)
    {
        if (length == 0 || !BitOperations.IsPow2(pageSize))
        {
            return Errno.EINVAL;
        }

        if (length - 1 > ulong.MaxValue - iova)
        {
            return Errno.EOVERFLOW;
        }

        int shift = BitOperations.TrailingZeroCount(pageSize);
        if (((length - 1) >> shift >> 3) >= (ulong)bitmap.Length)
        {
            return Errno.EINVAL;
        }

        bitmap.Clear();
        ulong last = iova + (length - 1);
        lock (_lock)
        {
            foreach (TrackedRange range in _ranges)
            {
                if (iova <= range.Last && range.Iova <= last)
                {
                    Report(range, iova, last, shift, bitmap);
                }
            }
        }

        return Errno.None;
    }

    private static void Report(TrackedRange range, ulong iova, ulong last, int shift, Span<byte> bitmap)
    {
        ulong first = range.PageOf(Math.Max(iova, range.Iova));
        ulong end = range.PageOf(Math.Min(last, range.Last));
        for (ulong page = first; page <= end; page = (page | 63) + 1)
        {
            if (!range.IsTouched(page))
            {
                page |= TrackedRange.PagesInBlock - 1;
                continue;
            }

            ref ulong word = ref range.Word(page);
            ulong dirty = word & Mask(page, Math.Min(end, page | 63));
            while (dirty != 0)
            {
                ulong bit = dirty & (0 - dirty);
                dirty ^= bit;
                ulong start = range.Iova + (((page & ~63UL) + (ulong)BitOperations.TrailingZeroCount(bit)) << range.Shift);
                ulong stop = start + ((1UL << range.Shift) - 1);
                ulong from = (Math.Max(start, iova) - iova) >> shift;
                ulong to = (Math.Min(stop, last) - iova) >> shift;
                for (ulong n = from; n <= to; n++)
                {
                    bitmap[(int)(n >> 3)] |= (byte)(1 << (int)(n & 7));
                }

                if (start >= iova && stop <= last)
                {
                    word &= ~bit;
                }
            }
        }
    }

    // Bits first % 64 to last % 64 of one word.
    private static ulong Mask(ulong first, ulong last) =>
        (ulong.MaxValue << (int)(first & 63)) & (ulong.MaxValue >> (int)(63 - (last & 63)));

    private static bool IsPageSize(ulong pageSize) => pageSize >= Type2.PageSize && BitOperations.IsPow2(pageSize);
}
