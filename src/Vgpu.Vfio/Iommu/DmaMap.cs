using System.Runtime.InteropServices;

namespace Vgpu.Vfio.Iommu;

/// <summary>
/// One DMA mapping of a domain: struct vfio_dma of drivers/vfio/vfio_iommu_type1.c, with the pins of emulated devices
/// that hang off it there (struct vfio_pfn). All but the pins and <see cref="IsGone"/> is immutable, so a reader needs no lock.
/// </summary>
internal sealed class DmaMap
{
    private Dictionary<ulong, PinnedPage>? _pins;
    private volatile bool _isGone;

    internal DmaMap(ulong iova, ulong size, IommuProtection protection, MemoryFile? file, nint address)
    {
        Iova = iova;
        Size = size;
        Protection = protection;
        File = file;
        Address = address;
    }

    internal ulong Iova { get; }

    /// <summary>Bytes, at least one page; Iova + Size may be 2^64.</summary>
    internal ulong Size { get; }

    internal ulong Last => Iova + (Size - 1);

    internal IommuProtection Protection { get; }

    /// <summary>What holds the memory; null: the client gave no file.</summary>
    internal MemoryFile? File { get; }

    /// <summary>Where Iova is in this process; 0: not mappable.</summary>
    internal nint Address { get; }

    /// <summary>
    /// Taken out of the table, for good. Set before the devices are told: whoever takes a device's lock after that and
    /// still knows this map sees it.
    /// </summary>
    internal bool IsGone
    {
        get => _isGone;
        set => _isGone = value;
    }

    /// <summary>Pages pinned here, each counted once.</summary>
    internal int PinnedPages => _pins?.Count ?? 0;

    internal bool Contains(ulong iova) => iova - Iova < Size;

    /// <summary>Bytes from <paramref name="iova"/>, which lies inside, to the end.</summary>
    internal ulong BytesFrom(ulong iova) => Size - (iova - Iova);

    /// <summary>Where <paramref name="iova"/>, which lies inside, is in this process.</summary>
    internal nint AddressOf(ulong iova) => Address + (nint)(iova - Iova);

    /// <summary>Counts one more pin of a page. Type2's lock held.</summary>
    internal void Pin(ulong page, bool writable)
    {
        _pins ??= [];
        ref PinnedPage pin = ref CollectionsMarshal.GetValueRefOrAddDefault(_pins, page, out _);
        pin = new PinnedPage(pin.Count + 1, pin.Writable || writable);
    }

    /// <summary>Takes one pin of a page back; false where none was. Type2's lock held.</summary>
    internal bool Unpin(ulong page, out bool writable)
    {
        writable = false;
        if (_pins is null || !_pins.TryGetValue(page, out PinnedPage pin))
        {
            return false;
        }

        writable = pin.Writable;
        if (pin.Count == 1)
        {
            _pins.Remove(page);
        }
        else
        {
            _pins[page] = pin with { Count = pin.Count - 1 };
        }

        return true;
    }

    /// <summary>Marks each page that a device may be writing to now: it is dirty for as long as it is pinned.</summary>
    internal void MarkWritablePins(DirtyLog dirty)
    {
        if (_pins is null)
        {
            return;
        }

        foreach (var (page, pin) in _pins)
        {
            if (pin.Writable)
            {
                dirty.Mark(page, Type2.PageSize);
            }
        }
    }

    private readonly record struct PinnedPage(int Count, bool Writable);
}
