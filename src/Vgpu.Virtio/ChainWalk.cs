// The walk along one descriptor chain, direct and indirect, which checks it whole before a device sees any of it.
// virtio 1.2, 2.7.5 (descriptor table), 2.7.5.3 (indirect descriptors), 2.7.4.2 (readable before writable).
using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Vfio.Iommu;
using static Vgpu.Virtio.VirtioRing;

namespace Vgpu.Virtio;

/// <summary>What came of asking a queue for its next chain.</summary>
internal enum PopResult
{
    /// <summary>Nothing is available.</summary>
    Empty,

    /// <summary>A chain is there, checked.</summary>
    Ready,

    /// <summary>Memory that the ring or the chain names is not mapped at this moment.</summary>
    Unmapped,

    /// <summary>The driver broke a rule of the ring.</summary>
    Broken,
}

/// <summary>
/// Reads each descriptor once and checks the copy. An indirect table is copied whole first. Device lock held.
/// Allocates nothing once it has seen its longest chain.
/// </summary>
internal sealed class ChainWalk(Type2 iommu)
{
    /// <summary>
    /// Descriptors in one indirect table: what QEMU takes (VIRTQUEUE_MAX_SIZE). Linux's virtio-gpu needs more than the
    /// queue's size, one for each page of a long command.
    /// </summary>
    public const int MaxIndirect = 1024;

    /// <summary>
    /// Pieces of host memory in one chain beyond one a descriptor: a client can cut its memory into as many maps as there
    /// are pages, and each descriptor can reach over all of them.
    /// </summary>
    public const int MaxMorePieces = 1024;

    private readonly byte[] _table = new byte[MaxIndirect * VRING_DESC_SIZE];
    private readonly List<HostRun> _pieces = [];
    private int _more;

    /// <summary>Which rule was broken, for the log; null where the memory is not mapped.</summary>
    public string? Fault { get; private set; }

    /// <summary>Fills <paramref name="chain"/> from the direct descriptor <paramref name="head"/> on.</summary>
    public PopResult Walk(RingMemory ring, ushort head, int size, bool indirectAllowed, DescriptorChain chain)
    {
        chain.Begin(head);
        Fault = null;
        _more = 0;
        int index = head;
        for (int seen = 0; seen < size; seen++)
        {
            Descriptor descriptor = ring.Descriptor(index);
            if ((descriptor.Flags & VRING_DESC_F_INDIRECT) != 0)
            {
                return WalkIndirect(descriptor, indirectAllowed, chain);
            }

            PopResult added = Add(descriptor, chain);
            if (added != PopResult.Ready || (descriptor.Flags & VRING_DESC_F_NEXT) == 0)
            {
                return added;
            }

            if (descriptor.Next >= size)
            {
                return Broken("a descriptor's next is beyond the table");
            }

            index = descriptor.Next;
        }

        return Broken("a descriptor chain is longer than its queue");
    }

    private PopResult WalkIndirect(in Descriptor descriptor, bool allowed, DescriptorChain chain)
    {
        if (!allowed)
        {
            return Broken("an indirect descriptor without VIRTIO_F_INDIRECT_DESC");
        }

        if ((descriptor.Flags & VRING_DESC_F_NEXT) != 0)
        {
            return Broken("an indirect descriptor with a next one");
        }

        uint length = descriptor.Length;
        if (length == 0 || length % VRING_DESC_SIZE != 0 || length > _table.Length)
        {
            return Broken("the length of an indirect table");
        }

        Span<byte> table = _table.AsSpan(0, (int)length);
        if (Wraps(descriptor))
        {
            return Broken("an indirect table wraps around the address space");
        }

        Errno errno = iommu.DmaRw(descriptor.Address, table, write: false);
        if (errno != Errno.None)
        {
            return Unreachable(errno);
        }

        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(table);
        int count = (int)length / VRING_DESC_SIZE;
        int index = 0;
        for (int seen = 0; seen < count; seen++)
        {
            var entry = new Descriptor(words[2 * index], words[(2 * index) + 1]);
            if ((entry.Flags & VRING_DESC_F_INDIRECT) != 0)
            {
                return Broken("an indirect table within an indirect table");
            }

            PopResult added = Add(entry, chain);
            if (added != PopResult.Ready || (entry.Flags & VRING_DESC_F_NEXT) == 0)
            {
                return added;
            }

            if (entry.Next >= count)
            {
                return Broken("an indirect descriptor's next is beyond its table");
            }

            index = entry.Next;
        }

        return Broken("a loop in an indirect table");
    }

    private PopResult Add(in Descriptor descriptor, DescriptorChain chain)
    {
        bool writable = (descriptor.Flags & VRING_DESC_F_WRITE) != 0;
        if (!writable && chain.HasWritable)
        {
            return Broken("a readable descriptor after a writable one");
        }

        if (descriptor.Length == 0)
        {
            return Broken("a descriptor of no bytes");
        }

        if (Wraps(descriptor))
        {
            return Broken("a descriptor wraps around the address space");
        }

        IommuProtection protection = writable ? IommuProtection.IOMMU_WRITE : IommuProtection.IOMMU_READ;
        if (iommu.TryGetRun(descriptor.Address, descriptor.Length, protection, out HostRun run) == Errno.None)
        {
            chain.Add(run, writable);
            return PopResult.Ready;
        }

        // Two neighbouring maps of the guest need not be neighbours here.
        _pieces.Clear();
        Errno errno = iommu.Resolve(descriptor.Address, descriptor.Length, protection, _pieces, 1 + MaxMorePieces - _more);
        if (errno != Errno.None)
        {
            return Unreachable(errno);
        }

        _more += _pieces.Count - 1;
        foreach (HostRun piece in _pieces)
        {
            chain.Add(piece, writable);
        }

        return PopResult.Ready;
    }

    private static bool Wraps(in Descriptor descriptor) => descriptor.Address + (descriptor.Length - 1) < descriptor.Address;

    private PopResult Unreachable(Errno errno) => errno switch
    {
        Errno.EFAULT => PopResult.Unmapped,
        Errno.E2BIG => Broken("a chain lies in too many pieces"),
        _ => Broken("a descriptor names memory that may not be touched so"),
    };

    private PopResult Broken(string fault)
    {
        Fault = fault;
        return PopResult.Broken;
    }
}
