// The three parts of a split virtqueue where this process sees them: descriptor table, available ring, used ring.
// virtio 1.2, 2.7: layout and alignment; 2.7.6 and 2.7.8: the rings' fields.
using System.Runtime.CompilerServices;
using Vgpu.Linux;
using Vgpu.Vfio.Iommu;
using static Vgpu.Virtio.VirtioRing;

namespace Vgpu.Virtio;

/// <summary>
/// Resolved once and kept until a DMA unmap touches it. Each member reads or writes one shared word once. Device lock
/// held throughout, which is what keeps the pointers good.
/// </summary>
internal sealed unsafe class RingMemory(Type2 iommu)
{
    private HostRun _descriptors;
    private HostRun _available;
    private HostRun _used;
    private int _size;

    public bool IsResolved { get; private set; }

    /// <summary>Whether the addresses have the alignment of virtio 1.2, 2.7.</summary>
    public static bool IsAligned(ulong descriptors, ulong available, ulong used) =>
        (descriptors & 15) == 0 && (available & 1) == 0 && (used & 3) == 0;

    /// <summary>Finds the parts; EFAULT where one is not mapped (in one piece), EPERM where it may not be touched so.</summary>
    public Errno Resolve(ulong descriptors, ulong available, ulong used, int size)
    {
        if (IsResolved)
        {
            return Errno.None;
        }

        _size = size;
        Errno errno = iommu.TryGetRun(descriptors, (ulong)(VRING_DESC_SIZE * size), IommuProtection.IOMMU_READ, out _descriptors);
        if (errno == Errno.None)
        {
            errno = iommu.TryGetRun(available, (ulong)(6 + (2 * size)), IommuProtection.IOMMU_READ, out _available);
        }

        if (errno == Errno.None)
        {
            errno = iommu.TryGetRun(used, (ulong)(6 + (8 * size)), IommuProtection.IOMMU_READ | IommuProtection.IOMMU_WRITE, out _used);
        }

        IsResolved = errno == Errno.None;
        return errno;
    }

    /// <summary>Forgets the pointers where the range touches one of them.</summary>
    public void Drop(ulong iova, ulong length)
    {
        if (IsResolved && (Touches(_descriptors, iova, length) || Touches(_available, iova, length) || Touches(_used, iova, length)))
        {
            Drop();
        }
    }

    public void Drop() => IsResolved = false;

    // Sound, all below: Resolve checked the length of each part for this size, and indexes are masked to it.
    public ushort AvailableIndex => Volatile.Read(ref *(ushort*)(_available.Address + 2));

    public ushort AvailableFlags => Volatile.Read(ref *(ushort*)_available.Address);

    /// <summary>used_event: the used index of the entry after which the driver wants an interrupt.</summary>
    public ushort UsedEvent => Volatile.Read(ref *(ushort*)(_available.Address + 4 + (2 * _size)));

    public ushort AvailableEntry(ushort index) => Volatile.Read(ref *(ushort*)(_available.Address + 4 + (2 * (index & (_size - 1)))));

    /// <summary>One entry of the table, copied; <paramref name="index"/> is less than the size.</summary>
    public Descriptor Descriptor(int index)
    {
        byte* at = (byte*)_descriptors.Address + (VRING_DESC_SIZE * index);
        return new Descriptor(Volatile.Read(ref *(ulong*)at), Volatile.Read(ref *(ulong*)(at + 8)));
    }

    public void SetUsedEntry(ushort index, uint id, uint written)
    {
        byte* at = (byte*)_used.Address + 4 + (8 * (index & (_size - 1)));
        Unsafe.WriteUnaligned(at, id);
        Unsafe.WriteUnaligned(at + 4, written);
    }

    /// <summary>Publishes the entries before it: a release store.</summary>
    public void SetUsedIndex(ushort index) => Volatile.Write(ref *(ushort*)(_used.Address + 2), index);

    /// <summary>avail_event: the available index after which this side wants a notification.</summary>
    public void SetAvailableEvent(ushort index)
    {
        Volatile.Write(ref *(ushort*)(_used.Address + 4 + (8 * _size)), index);
        iommu.MarkDirty(_used.Iova + 4 + (8 * (uint)_size), 2);
    }

    /// <summary>Tells dirty tracking of what a push writes: the entry and the index.</summary>
    public void MarkUsedDirty(ushort index)
    {
        iommu.MarkDirty(_used.Iova, 4);
        iommu.MarkDirty(_used.Iova + 4 + (8 * (uint)(index & (_size - 1))), 8);
    }

    private static bool Touches(in HostRun run, ulong iova, ulong length) => run.Iova - iova < length || iova - run.Iova < run.Length;
}

/// <summary>struct virtq_desc, copied out of guest memory in two words (virtio 1.2, 2.7.5).</summary>
internal readonly struct Descriptor(ulong address, ulong rest)
{
    public ulong Address => address;

    public uint Length => (uint)rest;

    public ushort Flags => (ushort)(rest >> 32);

    public ushort Next => (ushort)(rest >> 48);
}
