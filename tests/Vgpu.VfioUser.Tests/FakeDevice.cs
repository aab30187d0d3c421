using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;
using Vgpu.Vfio.Migration;

namespace Vgpu.VfioUser.Tests;

/// <summary>One VFIO_USER_DEVICE_SET_IRQS as the device saw it.</summary>
internal sealed record IrqCall(int Index, uint Start, uint Count, VfioIrqSetFlags Flags, byte[] Bools, int EventFds);

/// <summary>A device of plain memory that writes down what is asked of it.</summary>
internal sealed class FakeDevice : VfioDevice, IVfioMigratable
{
    internal const int Registers = 0;
    internal const int Sparse = 1;
    internal const int Framebuffer = 2;
    internal const int ReadOnly = 3;
    internal const int Absent = 4;
    internal const int WriteOnly = 5;
    internal const int Large = 8;
    internal const int FramebufferSize = 1 << 20;
    internal const int LargeSize = 4 << 20;

    private const VfioRegionFlags ReadWrite = VfioRegionFlags.VFIO_REGION_INFO_FLAG_READ | VfioRegionFlags.VFIO_REGION_INFO_FLAG_WRITE;
    private const VfioRegionFlags Mappable = ReadWrite | VfioRegionFlags.VFIO_REGION_INFO_FLAG_MMAP;

    private readonly FileDescriptor _file = MemFd.Create("framebuffer", FramebufferSize);
    private readonly VfioIrqTriggers[] _triggers;

    /// <summary>A device with this many MSI-X vectors.</summary>
    internal FakeDevice(uint interrupts = 8)
        : base(new Type2(NullLogger.Instance))
    {
        Regions =
        [
            new VfioRegion { Flags = ReadWrite, Size = 4096 },
            new VfioRegion { Flags = Mappable, Size = FramebufferSize, File = _file, SparseAreas = [new(0x1000, 0x2000), new(0x8000, 0x1000)] },
            new VfioRegion { Flags = Mappable, Size = FramebufferSize, File = _file, FileOffset = 0, IsMsixMappable = true, Type = new(0x8000_10de, 3) },
            new VfioRegion { Flags = VfioRegionFlags.VFIO_REGION_INFO_FLAG_READ, Size = 4096 },
            VfioRegion.Absent,
            new VfioRegion { Flags = VfioRegionFlags.VFIO_REGION_INFO_FLAG_WRITE, Size = 4096 },
            VfioRegion.Absent,
            new VfioRegion { Flags = ReadWrite, Size = 4096 },
            new VfioRegion { Flags = ReadWrite, Size = LargeSize, IoFds = IoFds() },
        ];
        Memory = [.. Regions.Select(r => new byte[r.Size])];
        Irqs =
        [
            new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD | VfioIrqFlags.VFIO_IRQ_INFO_MASKABLE | VfioIrqFlags.VFIO_IRQ_INFO_AUTOMASKED, 1),
            new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD, 0),
            new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD | VfioIrqFlags.VFIO_IRQ_INFO_NORESIZE, interrupts),
            new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD, 0),
            new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD, 1),
        ];
        _triggers = [.. Irqs.Select(irq => new VfioIrqTriggers(irq.Count))];
    }

    /// <summary>Doorbells that a hypervisor may signal past the client: the first two share one eventfd.</summary>
    internal EventFd[] Doorbells { get; } = [EventFd.Create(), EventFd.Create()];

    /// <summary>Whether it can save and load its state.</summary>
    internal bool CanMove { get; set; } = true;

    /// <summary>Called when the device has stopped or goes on.</summary>
    internal List<bool> Running { get; } = [];

    public long MaxStateLength => LargeSize + 4096;

    public override VfioDeviceFlags Flags => VfioDeviceFlags.VFIO_DEVICE_FLAGS_PCI | VfioDeviceFlags.VFIO_DEVICE_FLAGS_RESET;

    public override IReadOnlyList<VfioRegion> Regions { get; }

    public override IReadOnlyList<VfioIrqInfo> Irqs { get; }

    internal byte[][] Memory { get; }

    internal List<IrqCall> IrqCalls { get; } = [];

    internal List<(ulong Iova, ulong Length)> Unmaps { get; } = [];

    internal int Opens { get; private set; }

    internal int Closes { get; private set; }

    internal int Resets { get; private set; }

    internal string? Thread { get; private set; }

    /// <summary>Released once a client is gone from the device.</summary>
    internal SemaphoreSlim Closed { get; } = new(0);

    /// <summary>Called on the connection's thread before each access.</summary>
    internal Action? OnAccess { get; set; }

    internal Errno Answer { get; set; }

    /// <summary>Offers its memory, so that long reads are sent from it.</summary>
    internal bool OffersMemory { get; set; }

    public override void Open()
    {
        Opens++;
        Thread = System.Threading.Thread.CurrentThread.Name;
    }

    public override void Close()
    {
        DropTriggers();
        Closes++;
        Closed.Release();
    }

    public override void Reset() => Resets++;

    public override Errno ReadRegion(int index, ulong offset, Span<byte> data)
    {
        OnAccess?.Invoke();
        Memory[index].AsSpan((int)offset, data.Length).CopyTo(data);
        return Answer;
    }

    public override ReadOnlySpan<byte> ReadableMemory(int index, ulong offset, int length)
    {
        if (!OffersMemory)
        {
            return default;
        }

        OnAccess?.Invoke();
        return Memory[index].AsSpan((int)offset, length);
    }

    public override Errno WriteRegion(int index, ulong offset, ReadOnlySpan<byte> data)
    {
        OnAccess?.Invoke();
        data.CopyTo(Memory[index].AsSpan((int)offset));
        return Answer;
    }

    public override Errno SetIrqs(int index, uint start, uint count, VfioIrqSetFlags flags, ReadOnlySpan<byte> bools, ReadOnlySpan<EventFd?> eventfds)
    {
        IrqCalls.Add(new IrqCall(index, start, count, flags, bools.ToArray(), eventfds.Length));
        Errno errno = Errno.None;
        if ((flags & VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TRIGGER) != 0)
        {
            lock (Lock)
            {
                errno = _triggers[index].Set(start, count, flags, bools, eventfds);
            }
        }
        else
        {
            VfioIrqTriggers.Discard(eventfds);
        }

        return Answer == Errno.None ? errno : Answer;
    }

    public void SaveState(StateWriter state)
    {
        Assert.True(Lock.IsHeldByCurrentThread);
        state.Write(Memory[Registers]);
        state.Write(Memory[Large]);
    }

    public void LoadState(StateReader state)
    {
        Assert.True(Lock.IsHeldByCurrentThread);
        state.Read(Memory[Registers]);
        state.Read(Memory[Large]);
    }

    protected override IVfioMigratable? State => CanMove ? this : null;

    protected override void OnRunning(bool running) => Running.Add(running);

    public override void DmaUnmap(ulong iova, ulong length)
    {
        lock (Lock)
        {
            Unmaps.Add((iova, length));
        }
    }

    /// <summary>Fires an interrupt; false where it has no trigger.</summary>
    internal bool Raise(int index, uint sub)
    {
        lock (Lock)
        {
            return _triggers[index].Signal(sub);
        }
    }

    internal void WaitForClose() => Assert.True(Closed.Wait(TimeSpan.FromSeconds(60)), "the device was not closed");

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            DropTriggers();
            Iommu.Dispose();
            _file.Dispose();
            Array.ForEach(Doorbells, doorbell => doorbell.Dispose());
            Closed.Dispose();
        }
    }

    private VfioIoFd[] IoFds() =>
    [
        new(VfioIoFdType.VFIO_USER_IO_FD_TYPE_IOEVENTFD, 0x1000, 4, Doorbells[0].Descriptor, Flags: 1, Data: 7),
        new(VfioIoFdType.VFIO_USER_IO_FD_TYPE_IOEVENTFD, 0x1004, 0, Doorbells[0].Descriptor),
        new(VfioIoFdType.VFIO_USER_IO_FD_TYPE_IOREGIONFD, 0x2000, 0x100, Doorbells[1].Descriptor, Data: 42),
    ];

    private void DropTriggers()
    {
        lock (Lock)
        {
            Array.ForEach(_triggers, t => t.Clear());
        }
    }
}
