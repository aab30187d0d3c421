// A split virtqueue, the device's side. virtio 1.2, 2.7; notifications: 2.7.7 (to the driver) and 2.7.10 (to the device).
using Vgpu.Linux;
using Vgpu.Vfio.Iommu;
using static Vgpu.Virtio.VirtioFeatures;
using static Vgpu.Virtio.VirtioRing;

namespace Vgpu.Virtio;

/// <summary>What a queue needs of the transport that it belongs to. Device lock held.</summary>
internal interface IVirtqueueOwner
{
    Type2 Iommu { get; }

    /// <summary>The queue has used buffers that the driver wants to hear of.</summary>
    void InterruptDriver(Virtqueue queue);

    /// <summary>The used ring can't be reached now: look at the queue again soon.</summary>
    void RetryLater(Virtqueue queue);

    /// <summary>The queue can't go on.</summary>
    void NeedsReset(string why);

    /// <summary>False while the device is stopped for a move: the driver's memory stays as it is.</summary>
    bool IsRunning { get; }

    /// <summary>A used element is written, and its index is about to be: what the chain changed is kept first.</summary>
    void Commit(Virtqueue queue);

    /// <summary>The queue holds what it can't give back yet.</summary>
    void CommitLater();
}

/// <summary>
/// One virtqueue. The transport takes chains out of it and hands them to <see cref="VirtioDevice.HandleChain"/>; the
/// device gives each back once with <see cref="Push(ushort, uint)"/>. Every member with the device's lock held.
/// Allocates nothing after it is made.
/// </summary>
public sealed partial class Virtqueue
{
    /// <summary>
    /// A VMM takes its memory map apart and puts it together again while the guest runs, and an unmap reaches the
    /// domain before it reaches the device: for so long it is not the driver's fault.
    /// </summary>
    private const long RemapMilliseconds = 500;

    private readonly IVirtqueueOwner _owner;
    private readonly RingMemory _ring;
    private readonly ChainWalk _walk;
    private readonly DescriptorChain _chain = new();
    private readonly ulong[] _inFlight;
    private readonly (ushort Head, uint Written)[] _deferred;
    private int _deferredCount;

    // Of the deferred ones those that were pushed already, while FlushDeferred is at it.
    private int _flushed;
    private long? _unmappedSince;
    private ushort _nextAvailable;
    private ushort _nextUsed;
    private bool _eventIndex;
    private bool _indirect;
    private bool _left;
    private bool _awaitsRemap;
    private bool _goesOn;

    internal Virtqueue(IVirtqueueOwner owner, int index, ushort maxSize)
    {
        _owner = owner;
        Index = index;
        MaxSize = maxSize;
        _ring = new RingMemory(owner.Iommu);
        _walk = new ChainWalk(owner.Iommu);
        _inFlight = new ulong[(maxSize + 63) / 64];
        _deferred = new (ushort, uint)[maxSize];
        Size = maxSize;
    }

    /// <summary>The queue's number within the device.</summary>
    public int Index { get; }

    /// <summary>Entries of each ring: a power of two that the driver chose, at most what the device offers.</summary>
    public ushort Size { get; internal set; }

    /// <summary>Chains that the device holds: taken, not pushed.</summary>
    public int InFlight { get; private set; }

    /// <summary>
    /// Counts the resets of this queue. A device that finishes work elsewhere keeps it with the head, for
    /// <see cref="Push(ushort, uint, uint)"/>.
    /// </summary>
    public uint Generation { get; private set; }

    internal ushort MaxSize { get; }

    internal bool Enabled { get; private set; }

    internal ulong DescriptorArea { get; set; }

    internal ulong DriverArea { get; set; }

    internal ulong DeviceArea { get; set; }

    internal ushort Vector { get; set; } = VirtioPci.VIRTIO_MSI_NO_VECTOR;

    /// <summary>The chain that the last <see cref="TryPop"/> found.</summary>
    internal DescriptorChain Chain => _chain;

    /// <summary>What was wrong after <see cref="PopResult.Broken"/>.</summary>
    internal string? Fault { get; private set; }

    /// <summary>
    /// Returns a chain to the driver with the bytes written to it, and interrupts if the driver wants to know. Does
    /// nothing for a head that is not in flight: pushed before, or taken before a reset. Lock held.
    /// </summary>
    public void Push(ushort head, uint written)
    {
        if (!Enabled || !Land(head))
        {
            return;
        }

        if (!FlushDeferred() || !TryPush(head, written))
        {
            _deferred[_deferredCount++] = (head, written);
            _owner.CommitLater();
            _owner.RetryLater(this);
        }
    }

    /// <summary>As <see cref="Push(ushort, uint)"/>, where no reset has come since the queue had this generation.</summary>
    public void Push(ushort head, uint written, uint generation)
    {
        if (generation == Generation)
        {
            Push(head, written);
        }
    }

    /// <summary>
    /// Puts the chain that <see cref="VirtioDevice.HandleChain"/> is working on back to where it was: it and those after
    /// it come again after the next notification or <see cref="IVirtioTransport.Wake"/>. Only within HandleChain, for a
    /// chain that has not been pushed.
    /// </summary>
    public void Leave()
    {
        if (Enabled && Land(_chain.Head))
        {
            _nextAvailable--;
            _left = true;
        }
    }

    /// <summary>
    /// The device goes on with this chain without the lock, and ends with <see cref="IVirtioTransport.EndWork"/>: until then no
    /// other of this queue is taken, a successor works on it anew, and what it says is good with the lock held, but for memory
    /// that was unmapped. Only within HandleChain.
    /// </summary>
    public void GoOn() => _goesOn = true;

    /// <summary>Whether a chain is worked on without the lock.</summary>
    internal bool IsGoingOn => _goesOn;

    /// <summary>
    /// For memory that the chain tells of and that is not mapped: where that may be because the VMM is putting its memory
    /// map together anew, leaves the chain as <see cref="Leave"/> does, and it comes again soon by itself. False, and the
    /// chain stays with the device, once that has lasted too long to be so. Nobody waits meanwhile.
    /// </summary>
    public bool TryLeaveForRemap()
    {
        if (_owner.Iommu.MillisecondsSinceUnmap >= RemapMilliseconds || !AwaitRemap())
        {
            return false;
        }

        Leave();
        _awaitsRemap = true;
        return true;
    }

    /// <summary>Looks at the queue again soon; false once its memory has not been mapped for too long.</summary>
    internal bool AwaitRemap()
    {
        long now = Environment.TickCount64;
        _unmappedSince ??= now;
        if (now - _unmappedSince >= RemapMilliseconds)
        {
            return false;
        }

        _owner.RetryLater(this);
        return true;
    }

    /// <summary>What was waited for is mapped, or is waited for no more.</summary>
    internal void EndAwait() => _unmappedSince = null;

    /// <summary>Whether the device left its chain; asking forgets it. Ends the wait for memory unless it was left for that.</summary>
    internal bool TakeLeft()
    {
        bool left = _left;
        if (!_awaitsRemap)
        {
            EndAwait();
        }

        _left = false;
        _awaitsRemap = false;
        return left;
    }

    internal void Enable()
    {
        if (!RingMemory.IsAligned(DescriptorArea, DriverArea, DeviceArea))
        {
            _owner.NeedsReset($"queue {Index}: a ring is not aligned");
            return;
        }

        Enabled = true;
    }

    /// <summary>The negotiated features, when the driver is ready.</summary>
    internal void Activate(ulong features)
    {
        _eventIndex = (features & VIRTIO_F_EVENT_IDX) != 0;
        _indirect = (features & VIRTIO_F_INDIRECT_DESC) != 0;
    }

    internal void Reset()
    {
        Enabled = false;
        Generation++;
        Size = MaxSize;
        DescriptorArea = 0;
        DriverArea = 0;
        DeviceArea = 0;
        Vector = VirtioPci.VIRTIO_MSI_NO_VECTOR;
        InFlight = 0;
        Array.Clear(_inFlight);
        _deferredCount = 0;
        _nextAvailable = 0;
        _nextUsed = 0;
        _eventIndex = false;
        _indirect = false;
        _left = false;
        _awaitsRemap = false;
        _goesOn = false;
        _isHandling = false;
        _republish = false;
        EndAwait();
        _ring.Drop();
        _chain.Clear();
    }

    internal void DmaUnmap(ulong iova, ulong length)
    {
        _ring.Drop(iova, length);
        _chain.Drop(iova, length);
    }

    internal PopResult TryPop()
    {
        if (!FlushDeferred())
        {
            return PopResult.Unmapped;
        }

        Errno errno = ResolveRing();
        if (errno != Errno.None)
        {
            return errno == Errno.EFAULT ? PopResult.Unmapped : Broken("a ring lies in pieces, or in memory that may not be touched so");
        }

        ushort available = _ring.AvailableIndex;
        if (available == _nextAvailable && !ArmNotification(out available))
        {
            return PopResult.Empty;
        }

        if ((ushort)(available - _nextAvailable) > Size)
        {
            return Broken("the available index jumped by more than the queue's size");
        }

        ushort head = _ring.AvailableEntry(_nextAvailable);
        if (head >= Size)
        {
            return Broken("an available head is beyond the table");
        }

        if (IsInFlight(head))
        {
            return Broken("a chain was made available again before it was used");
        }

        PopResult result = _walk.Walk(_ring, head, Size, _indirect, _chain);
        switch (result)
        {
            case PopResult.Ready:
                _nextAvailable++;
                _inFlight[head >> 6] |= 1UL << (head & 63);
                InFlight++;
                _isHandling = true;
                break;
            case PopResult.Broken:
                Fault = _walk.Fault;
                break;
        }

        return result;
    }

    /// <summary>Asks for a notification and looks once more, for what came just before; false where nothing did.</summary>
    private bool ArmNotification(out ushort available)
    {
        available = _nextAvailable;
        if (_eventIndex)
        {
            _ring.SetAvailableEvent(_nextAvailable);
            Interlocked.MemoryBarrier();
            available = _ring.AvailableIndex;
        }

        return available != _nextAvailable;
    }

    private Errno ResolveRing()
    {
        Errno errno = _ring.Resolve(DescriptorArea, DriverArea, DeviceArea, Size);
        if (_republish && errno == Errno.None)
        {
            Republish();
        }

        return errno;
    }

    private bool FlushDeferred()
    {
        while (_flushed < _deferredCount && CanPush())
        {
            (ushort head, uint written) = _deferred[_flushed++];
            PushNow(head, written);
        }

        if (_flushed != 0)
        {
            Array.Copy(_deferred, _flushed, _deferred, 0, _deferredCount - _flushed);
            _deferredCount -= _flushed;
            _flushed = 0;
        }

        return _deferredCount == 0;
    }

    private bool TryPush(ushort head, uint written)
    {
        bool can = CanPush();
        if (can)
        {
            PushNow(head, written);
        }

        return can;
    }

    private bool CanPush() => _owner.IsRunning && _owner.Iommu.BusMaster && ResolveRing() == Errno.None;

    // At whatever instruction the process ends, the driver sees the chain used once: before the commit it is done again from
    // the state before it, after the commit a successor publishes the index.
    private void PushNow(ushort head, uint written)
    {
        ushort used = _nextUsed++;
        _ring.SetUsedEntry(used, head, written);
        _owner.Commit(this);
        _ring.SetUsedIndex(_nextUsed);
        _ring.MarkUsedDirty(used);

        // The driver sets its event or flag, then looks at the used index; here the store comes before the look.
        Interlocked.MemoryBarrier();
        bool wanted = _eventIndex
            ? _ring.UsedEvent == used
            : (_ring.AvailableFlags & VRING_AVAIL_F_NO_INTERRUPT) == 0;
        if (wanted)
        {
            _owner.InterruptDriver(this);
        }
    }

    private bool IsInFlight(ushort head) => (_inFlight[head >> 6] & (1UL << (head & 63))) != 0;

    private bool Land(ushort head)
    {
        if (head >= Size || !IsInFlight(head))
        {
            return false;
        }

        _inFlight[head >> 6] &= ~(1UL << (head & 63));
        InFlight--;
        return true;
    }

    private PopResult Broken(string fault)
    {
        Fault = fault;
        return PopResult.Broken;
    }
}
