using Microsoft.Extensions.Logging;
using Vgpu.Linux;

namespace Vgpu.Vfio.Iommu;

/// <summary>
/// The IOMMU domain of emulated devices: the client's memory, mapped here and reached page by page on demand, with every
/// address checked. Follows the rules that drivers/vfio/vfio_iommu_type1.c (v2) has for devices without hardware DMA.
/// </summary>
/// <remarks>
/// <para>
/// <b>Threads.</b> Map, Unmap and UnmapAll come from the transport's thread, with no device's lock held; several may
/// come at once. Resolve, TryGetRun, DmaRw, the pins and ReadDirty come from any thread that holds the lock of the
/// attached device it works for. The domain's own lock is held for a few steps only, never across a call into a device,
/// and not at all to find a map; the lock of its dirty log comes after it, and that of its files is never held with either.
/// </para>
/// <para>
/// <b>Why no pointer outlives its map.</b> A pointer is made and used only under a device's lock. Unmap first takes the
/// range out of the table, then calls <see cref="VfioDevice.DmaUnmap"/> of each attached device, then unmaps the
/// memory. DmaUnmap takes the device's lock: a worker that made a pointer before has left when it returns, and one that
/// comes after finds nothing.
/// </para>
/// </remarks>
public sealed partial class Type2 : IDisposable
{
    /// <summary>The smallest page of a domain, in bytes: each map is a multiple of it.</summary>
    public const ulong PageSize = 4096;

    /// <summary>VFIO_PIN_PAGES_MAX_ENTRIES: pages that one PinPages takes at most.</summary>
    public const int MaxPinnedPages = 512;

    // Up to so many a search is as good as remembering.
    private const int FewMaps = 32;
    private const ulong PageMask = PageSize - 1;
    private const IommuProtection AllAccess = IommuProtection.IOMMU_READ | IommuProtection.IOMMU_WRITE;

    private readonly Lock _lock = new();
    private readonly DmaMapTable _table = new();
    private readonly Iotlb _iotlb = new();
    private readonly MemoryFileCache _files = new();
    private readonly int _maxMaps;
    // Of the unmap that is being told on this thread.
    [ThreadStatic]
    private static bool s_keepsMapped;

    private volatile VfioDevice[] _devices = [];
    private volatile DmaMap? _lastHit;
    private volatile bool _busMaster;
    private long _unmappedAt = long.MinValue / 2;
    private volatile IClientMemory? _clientMemory;
    private bool _disposed;

    /// <summary>A domain without maps and without bus mastering.</summary>
    /// <param name="logger">See <see cref="Logger"/>; null: the transport's, once one serves the device.</param>
    /// <param name="maxMaps">Maps at most, 1 or more: dma_entry_limit.</param>
    public Type2(ILogger? logger = null, int maxMaps = 65_535)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxMaps, 1);
        Logger = logger;
        _maxMaps = maxMaps;
    }

    /// <summary>
    /// COMMAND.BusMaster of the function behind this domain; false after power-on. While false the device reaches no
    /// memory: every access answers EPERM. Any thread; set it with the device's lock held to be sure that no unit of
    /// work still runs under the old value.
    /// </summary>
    public bool BusMaster
    {
        get => _busMaster;
        set => _busMaster = value;
    }

    /// <summary>How memory is reached that a client maps and does not share; null while there is no client. The transport's.</summary>
    public IClientMemory? ClientMemory
    {
        get => _clientMemory;
        set => _clientMemory = value;
    }

    /// <summary>
    /// Since the last unmap, in ms. A VMM takes its memory map apart and puts it together again while the guest runs, so
    /// that EFAULT soon after one may be nobody's fault. Any thread.
    /// </summary>
    public long MillisecondsSinceUnmap => Environment.TickCount64 - Volatile.Read(ref _unmappedAt);

    /// <summary>
    /// Where refused files are told of, once for each reason; see <see cref="NamedLogger"/>. Null: nowhere. Set it before
    /// the first map.
    /// </summary>
    public ILogger? Logger { get; set; }

    /// <summary>Maps in the table.</summary>
    public int MapCount
    {
        get
        {
            lock (_lock)
            {
                return _table.Count;
            }
        }
    }

    /// <summary>Mappings that this process holds for them: one for a file, where the file could be mapped whole.</summary>
    internal int MappedFileCount => _files.Count;

    /// <summary>Makes a device hear of unmaps. Called by <see cref="VfioDevice"/> itself.</summary>
    internal void Attach(VfioDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        lock (_lock)
        {
            if (!_devices.Contains(device))
            {
                _devices = [.. _devices, device];
            }
        }
    }

    /// <summary>
    /// The device hears of no later unmap; one that is under way may still reach it. The device keeps no pointer from
    /// here on. Called by <see cref="VfioDevice"/> itself.
    /// </summary>
    internal void Detach(VfioDevice device)
    {
        lock (_lock)
        {
            _devices = [.. _devices.Where(d => !ReferenceEquals(d, device))];
        }
    }

    /// <summary>
    /// VFIO_IOMMU_MAP_DMA: gives the device [<paramref name="iova"/>, iova + <paramref name="size"/>). A map without a
    /// file is known but can't be reached: access answers EFAULT.
    /// </summary>
    /// <param name="iova">First address, a multiple of <see cref="PageSize"/>.</param>
    /// <param name="size">Bytes, a multiple of <see cref="PageSize"/>, not 0; the end may be 2^64.</param>
    /// <param name="protection">What the device may do: not None.</param>
    /// <param name="file">
    /// The memory: a regular file on tmpfs or hugetlbfs, opened as the protection needs. Closed in any case.
    /// </param>
    /// <param name="fileOffset">Where the range begins in the file, a multiple of <see cref="PageSize"/>.</param>
    /// <returns>
    /// EINVAL: a rule above is broken or the range is not within the file; EEXIST: it touches a map, be it the same one;
    /// ENOSPC: too many maps or files; EACCES: the file is not opened so; ENOTSUP: the file can shrink and nothing here can
    /// survive that; ENOMEM: everything is tracked, and this is too much to be; ENODEV: disposed; or what mmap said.
    /// </returns>
    public Errno Map(ulong iova, ulong size, IommuProtection protection, FileDescriptor? file, ulong fileOffset)
    {
        using FileDescriptor? owned = file;
        ulong unaligned = (iova | size | (file is null ? 0 : fileOffset)) & PageMask;
        if (size == 0 || unaligned != 0 || size - 1 > ulong.MaxValue - iova || protection == 0 || (protection & ~AllAccess) != 0)
        {
            return Errno.EINVAL;
        }

        lock (_lock)
        {
            if (Refuse(iova, size) is Errno refusal and not Errno.None)
            {
                return refusal;
            }
        }

        MemoryFile? memory = null;
        if (file is not null && _files.Acquire(file, fileOffset, size, protection, out memory) is Errno error and not Errno.None)
        {
            LogRefused(error, iova, size);
            return error;
        }

        var map = new DmaMap(iova, size, protection, memory, memory?.AddressOf(fileOffset) ?? 0);
        lock (_lock)
        {
            // Again: another thread may have mapped here while the file was looked at.
            error = Refuse(iova, size);
            if (error == Errno.None)
            {
                error = _dirty?.Cover(map.Iova, map.Last) ?? Errno.None;
            }

            if (error == Errno.None)
            {
                _table.Insert(map);
                return Errno.None;
            }
        }

        Release(keep: false, map);
        return error;
    }

    /// <summary>
    /// VFIO_IOMMU_UNMAP_DMA: takes away all maps within [<paramref name="iova"/>, iova + <paramref name="size"/>). When
    /// it returns no device touches the range any more. EINVAL: not whole pages, empty, wraps, or would split a map
    /// (nothing is unmapped then); ENOENT: no map is there.
    /// </summary>
    public Errno Unmap(ulong iova, ulong size)
    {
        if (size == 0 || ((iova | size) & PageMask) != 0 || size - 1 > ulong.MaxValue - iova)
        {
            return Errno.EINVAL;
        }

        DmaMap[] maps;
        lock (_lock)
        {
            ulong last = iova + (size - 1);
            if ((_table.Find(iova) is { } head && head.Iova != iova) || (_table.Find(last) is { } tail && tail.Last != last))
            {
                return Errno.EINVAL;
            }

            (int first, int count) = _table.Range(iova, last);
            if (count == 0)
            {
                return Errno.ENOENT;
            }

            maps = Take(first, count);
        }

        Release(keep: Tell(iova, size), maps);
        return Errno.None;
    }

    /// <summary>
    /// For a device within <see cref="VfioDevice.DmaUnmap"/> whose hardware still points into the range and can't be stopped:
    /// the range is gone for everybody, but its memory stays mapped in this process, so that a late access ends nothing.
    /// </summary>
    public static void KeepMapped() => s_keepsMapped = true;

    /// <summary>VFIO_DMA_UNMAP_FLAG_ALL: takes away every map, as <see cref="Unmap"/> does.</summary>
    public void UnmapAll()
    {
        DmaMap[] maps;
        lock (_lock)
        {
            maps = _table.Count == 0 ? [] : Take(0, _table.Count);
        }

        if (maps.Length != 0)
        {
            // 2^64 bytes are not a length: two halves, where the maps lie so far apart.
            ulong first = maps[0].Iova;
            ulong last = maps[^1].Last;
            bool keep = false;
            if (last - first == ulong.MaxValue)
            {
                keep = Tell(0, 1UL << 63);
                first = 1UL << 63;
            }

            keep |= Tell(first, last - first + 1);
            Release(keep, maps);
        }

        _files.ReleaseIdle();
    }

    /// <summary>Takes every map away and ends dirty tracking; later maps answer ENODEV.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
        }

        UnmapAll();
        StopDirtyTracking();
        _files.Dispose();
    }

    private Errno Refuse(ulong iova, ulong size) =>
        _disposed ? Errno.ENODEV
        : _table.Overlaps(iova, iova + (size - 1)) ? Errno.EEXIST
        : _table.Count >= _maxMaps ? Errno.ENOSPC
        : Errno.None;

    // Lock held. From here on no lookup finds these maps; their memory stays until each device was told.
    private DmaMap[] Take(int first, int count)
    {
        Volatile.Write(ref _unmappedAt, Environment.TickCount64);
        DmaMap[] maps = _table.Remove(first, count);
        foreach (DmaMap map in maps)
        {
            map.IsGone = true;
        }

        _lastHit = null;
        if (_table.Count == 0)
        {
            _iotlb.Clear();
        }

        return maps;
    }

    // Lock not held: the device's lock comes first in the order. A device that throws leaves the memory mapped, for it
    // may still point there; true: one said so.
    private bool Tell(ulong iova, ulong length)
    {
        s_keepsMapped = false;
        foreach (VfioDevice device in _devices)
        {
            device.DmaUnmap(iova, length);
        }

        return s_keepsMapped;
    }

    private void Release(bool keep, params ReadOnlySpan<DmaMap> maps)
    {
        foreach (DmaMap map in maps)
        {
            if (_dirty is { } dirty)
            {
                map.MarkWritablePins(dirty);
            }

            if (map.File is { } file && !keep)
            {
                _files.Release(file);
            }
        }
    }
}
