using Vgpu.Linux;

namespace Vgpu.Vfio.Iommu;

// Pins and dirty pages: vfio_pin_pages and vfio_unpin_pages of drivers/vfio/vfio_main.c with the rules of
// drivers/vfio/vfio_iommu_type1.c, and the DMA logging feature of linux/vfio.h.
public sealed partial class Type2
{
    private volatile DirtyLog? _dirty;

    /// <summary>Pages pinned, each counted once however often it is pinned.</summary>
    internal int PinnedPageCount
    {
        get
        {
            lock (_lock)
            {
                int pages = 0;
                for (int i = 0; i < _table.Count; i++)
                {
                    pages += _table[i].PinnedPages;
                }

                return pages;
            }
        }
    }

    /// <summary>
    /// vfio_pin_pages: pins <paramref name="pageCount"/> pages from <paramref name="iova"/> on, all or none, and gives
    /// their addresses here. A page pinned for writing is dirty in each report for as long as it stays so. The pins of a
    /// map end with it: <see cref="VfioDevice.DmaUnmap"/> tells. Device lock held.
    /// </summary>
    /// <param name="iova">A multiple of <see cref="PageSize"/>.</param>
    /// <param name="pageCount">1 to <see cref="MaxPinnedPages"/>.</param>
    /// <param name="protection">IOMMU_READ, IOMMU_WRITE or both.</param>
    /// <param name="pages">Receives the addresses: as many entries or more.</param>
    /// <returns>
    /// EINVAL: bad argument, or a page is not mapped; E2BIG: too many pages; EPERM: a map allows no such access, or bus
    /// mastering is off; EFAULT: a map without a file.
    /// </returns>
    public Errno PinPages(ulong iova, int pageCount, IommuProtection protection, Span<nint> pages)
    {
        if (pageCount > MaxPinnedPages)
        {
            return Errno.E2BIG;
        }

        if (pageCount <= 0 || pages.Length < pageCount || (iova & PageMask) != 0 || protection == 0 || (protection & ~AllAccess) != 0
            || ((ulong)pageCount * PageSize) - 1 > ulong.MaxValue - iova)
        {
            return Errno.EINVAL;
        }

        if (!_busMaster)
        {
            return Errno.EPERM;
        }

        bool writable = (protection & IommuProtection.IOMMU_WRITE) != 0;
        lock (_lock)
        {
            for (int i = 0; i < pageCount; i++)
            {
                ulong page = iova + ((ulong)i * PageSize);
                DmaMap? map = _table.Find(page);
                Errno error = map is null ? Errno.EINVAL : Allowed(map, protection);
                if (error != Errno.None)
                {
                    pages[..i].Clear();
                    return error;
                }

                pages[i] = map!.AddressOf(page);
            }

            for (int i = 0; i < pageCount; i++)
            {
                ulong page = iova + ((ulong)i * PageSize);
                _table.Find(page)!.Pin(page, writable);
            }

            if (writable)
            {
                _dirty?.Mark(iova, (ulong)pageCount * PageSize);
            }
        }

        return Errno.None;
    }

    /// <summary>
    /// vfio_unpin_pages: takes back one pin of each page. Pages that are not pinned, and those whose map is gone, are
    /// passed over. Any thread.
    /// </summary>
    public void UnpinPages(ulong iova, int pageCount)
    {
        if (pageCount is <= 0 or > MaxPinnedPages || (iova & PageMask) != 0)
        {
            return;
        }

        lock (_lock)
        {
            for (int i = 0; i < pageCount; i++)
            {
                ulong page = iova + ((ulong)i * PageSize);
                if (_table.Find(page) is { } map && map.Unpin(page, out bool writable) && writable)
                {
                    _dirty?.Mark(page, PageSize);
                }
            }
        }
    }

    /// <summary>
    /// VFIO_DEVICE_FEATURE_DMA_LOGGING_START for one range; call again for each further one. What is pinned for writing
    /// is dirty from the start.
    /// </summary>
    /// <param name="iova">A multiple of <paramref name="pageSize"/>.</param>
    /// <param name="length">Bytes, a multiple of <paramref name="pageSize"/>, not 0.</param>
    /// <param name="pageSize">Bytes a bit stands for: a power of two, 4096 or more.</param>
    /// <returns>EINVAL: bad argument, or it touches a range that is tracked; EOVERFLOW: it wraps; ENOMEM: too long.</returns>
    public Errno StartDirtyTracking(ulong iova, ulong length, ulong pageSize)
    {
        lock (_lock)
        {
            DirtyLog dirty = _dirty ?? new DirtyLog();
            Errno error = dirty.Add(iova, length, pageSize);
            if (error == Errno.None)
            {
                _dirty = dirty;
            }

            return error;
        }
    }

    /// <summary>
    /// VFIO_DEVICE_FEATURE_DMA_LOGGING_START without ranges: every write is tracked, also to what is mapped later. EINVAL:
    /// bad page size, or ranges are tracked already; ENOMEM.
    /// </summary>
    public Errno StartDirtyTracking(ulong pageSize)
    {
        lock (_lock)
        {
            if (_dirty is not null)
            {
                return Errno.EINVAL;
            }

            var dirty = new DirtyLog();
            Errno error = dirty.AddAll(pageSize);
            for (int i = 0; i < _table.Count && error == Errno.None; i++)
            {
                error = dirty.Cover(_table[i].Iova, _table[i].Last);
            }

            if (error == Errno.None)
            {
                _dirty = dirty;
            }
            else
            {
                dirty.Clear();
            }

            return error;
        }
    }

    /// <summary>Whether writes are tracked now. Any thread.</summary>
    public bool IsDirtyTracked => _dirty is not null;

    /// <summary>VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP: all ranges, and what was not read is lost. Any thread.</summary>
    public void StopDirtyTracking()
    {
        lock (_lock)
        {
            _dirty?.Clear();
            _dirty = null;
        }
    }

    /// <summary>
    /// VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT: reports which pages of a range were written to and forgets it. Call it
    /// with the lock of each attached device held, so that nobody is between a translation and its write.
    /// </summary>
    /// <param name="iova">First address.</param>
    /// <param name="length">Bytes, not 0.</param>
    /// <param name="pageSize">
    /// Bytes a bit of the report stands for, a power of two; need not be the size that is tracked. A tracked page that
    /// reaches beyond the range is reported and stays dirty.
    /// </param>
    /// <param name="bitmap">Overwritten: bit n % 8 of byte n / 8 is page n. Bits past the end and of untracked pages are 0.</param>
    /// <returns>EINVAL: bad argument, a bitmap too short, or nothing is tracked; EOVERFLOW: the range wraps.</returns>
    public Errno ReadDirty(ulong iova, ulong length, ulong pageSize, Span<byte> bitmap)
    {
        lock (_lock)
        {
            if (_dirty is not { } dirty)
            {
                return Errno.EINVAL;
            }

            for (int i = 0; i < _table.Count; i++)
            {
                _table[i].MarkWritablePins(dirty);
            }

            return dirty.Read(iova, length, pageSize, bitmap);
        }
    }

    /// <summary>
    /// Says that a device wrote to a range through a run that it keeps from unit to unit of work. Runs that are used
    /// only in the unit that resolved them for writing need it not. Any thread; free while nothing is tracked.
    /// </summary>
    public void MarkDirty(ulong iova, ulong length) => _dirty?.Mark(iova, length);
}
