namespace Vgpu.Vfio.Iommu;

/// <summary>
/// The maps that were found last, one for each slot that an address falls into, as an IOTLB keeps translations: among
/// thousands of maps a look here is a third of a search. Any thread, without a lock: an entry is a reference to a map, which
/// says itself whether it holds the address and whether it is gone.
/// </summary>
internal sealed class Iotlb
{
    // 2 MiB of addresses a slot, 32 GiB before they come round again; 128 KiB of memory, once there are maps enough.
    private const int SlotShift = 21;
    private const int Slots = 1 << 14;

    private volatile DmaMap?[]? _slots;

    /// <summary>The map that holds an address, if it was remembered there and is not gone.</summary>
    internal DmaMap? Find(ulong iova) =>
        _slots is { } slots && slots[SlotOf(iova)] is { } map && map.Contains(iova) && !map.IsGone ? map : null;

    /// <summary>Remembers where a map was found.</summary>
    internal void Remember(ulong iova, DmaMap map) => (_slots ??= new DmaMap?[Slots])[SlotOf(iova)] = map;

    /// <summary>Drops all references: no map is left.</summary>
    internal void Clear() => _slots = null;

    private static int SlotOf(ulong iova) => (int)(iova >> SlotShift) & (Slots - 1);
}
