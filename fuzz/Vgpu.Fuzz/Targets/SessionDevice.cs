using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;
using Vgpu.Vfio.Migration;

namespace Vgpu.Fuzz.Targets;

/// <summary>A small device with some of everything that a client can ask for; a write to its doorbell makes it do DMA.</summary>
internal sealed class SessionDevice : VfioDevice, IVfioMigratable
{
    private const VfioRegionFlags Read = VfioRegionFlags.VFIO_REGION_INFO_FLAG_READ;
    private const VfioRegionFlags Write = VfioRegionFlags.VFIO_REGION_INFO_FLAG_WRITE;
    private const VfioRegionFlags Mappable = Read | Write | VfioRegionFlags.VFIO_REGION_INFO_FLAG_MMAP;
    private const int Size = 1 << 14;
    private const int Doorbell = 0x800;
    private const int LongestDma = 256;

    private readonly FileDescriptor _file = MemFd.Create("device", Size);
    private readonly EventFd _notify = EventFd.Create();
    private readonly VfioIrqTriggers[] _triggers;
    private readonly byte[] _memory = new byte[Size];
    private readonly byte[] _dma = new byte[LongestDma];

    internal SessionDevice()
        : base(new Type2(NullLogger.Instance) { BusMaster = true })
    {
        Regions =
        [
            new VfioRegion { Flags = Read | Write, Size = 4096, IoFds = [new(VfioIoFdType.VFIO_USER_IO_FD_TYPE_IOEVENTFD, 0, 4, _notify.Descriptor)] },
            new VfioRegion { Flags = Mappable, Size = Size, File = _file, SparseAreas = [new(0x1000, 0x2000)] },
            new VfioRegion { Flags = Mappable, Size = Size, File = _file },
            new VfioRegion { Flags = Read, Size = 4096 },
            VfioRegion.Absent,
            new VfioRegion { Flags = Write, Size = 4096 },
            VfioRegion.Absent,
            new VfioRegion { Flags = Read | Write, Size = 256 },
            VfioRegion.Absent,
        ];
        Irqs =
        [
            new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD | VfioIrqFlags.VFIO_IRQ_INFO_MASKABLE, 1),
            new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD, 0),
            new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD, 8),
            new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD, 0),
            new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD, 1),
        ];
        _triggers = [.. Irqs.Select(irq => new VfioIrqTriggers(irq.Count))];
    }

    public override VfioDeviceFlags Flags => VfioDeviceFlags.VFIO_DEVICE_FLAGS_PCI | VfioDeviceFlags.VFIO_DEVICE_FLAGS_RESET;

    public override IReadOnlyList<VfioRegion> Regions { get; }

    public override IReadOnlyList<VfioIrqInfo> Irqs { get; }

    public long MaxStateLength => Size;

    internal int Opens { get; private set; }

    internal int Closes { get; private set; }

    internal int Assigned => _triggers.Sum(t => t.Assigned);

    public override void Open()
    {
        Opens++;
        _memory.AsSpan().Clear();
    }

    public override void Close()
    {
        Array.ForEach(_triggers, t => t.Clear());
        Closes++;
    }

    public override void Reset() => _memory.AsSpan().Clear();

    public override Errno ReadRegion(int index, ulong offset, Span<byte> data)
    {
        _memory.AsSpan((int)offset, data.Length).CopyTo(data);
        return Errno.None;
    }

    public override Errno WriteRegion(int index, ulong offset, ReadOnlySpan<byte> data)
    {
        data.CopyTo(_memory.AsSpan((int)offset));
        if (index != 0 || offset != Doorbell || data.Length < sizeof(ulong))
        {
            return Errno.None;
        }

        // An address, whose low bits say how much and which way.
        ulong command = BitConverter.ToUInt64(data);
        return DmaRw(command & ~0xfffUL, _dma.AsSpan(0, (int)(command & 0xff)), (command & 0x100) != 0);
    }

    public override Errno SetIrqs(int index, uint start, uint count, VfioIrqSetFlags flags, ReadOnlySpan<byte> bools, ReadOnlySpan<EventFd?> eventfds)
    {
        if ((flags & VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TRIGGER) != 0)
        {
            return _triggers[index].Set(start, count, flags, bools, eventfds);
        }

        VfioIrqTriggers.Discard(eventfds);
        return Errno.None;
    }

    public override void DmaUnmap(ulong iova, ulong length)
    {
    }

    public void SaveState(StateWriter state) => state.Write(_memory.AsSpan(0, 64));

    public void LoadState(StateReader state) => state.Read(_memory.AsSpan(0, 64));

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            Iommu.Dispose();
            _file.Dispose();
            _notify.Dispose();
        }
    }
}
