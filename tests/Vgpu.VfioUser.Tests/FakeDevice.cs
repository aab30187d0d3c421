using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;

namespace Vgpu.VfioUser.Tests;

/// <summary>One VFIO_USER_DEVICE_SET_IRQS as the device saw it.</summary>
internal sealed record IrqCall(int Index, uint Start, uint Count, VfioIrqSetFlags Flags, byte[] Bools, int EventFds);

/// <summary>A device of plain memory that writes down what is asked of it.</summary>
internal sealed class FakeDevice : VfioDevice
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
    private readonly Dictionary<(int Index, uint Sub), EventFd> _triggers = [];

    internal FakeDevice()
        : base(new Type2(NullLogger.Instance))
    {
        Regions =
        [
            new VfioRegion { Flags = ReadWrite, Size = 4096 },
            new VfioRegion { Flags = Mappable, Size = FramebufferSize, File = _file, SparseAreas = [new(0x1000, 0x2000), new(0x8000, 0x1000)] },
            new VfioRegion { Flags = Mappable, Size = FramebufferSize, File = _file, FileOffset = 0 },
            new VfioRegion { Flags = VfioRegionFlags.VFIO_REGION_INFO_FLAG_READ, Size = 4096 },
            VfioRegion.Absent,
            new VfioRegion { Flags = VfioRegionFlags.VFIO_REGION_INFO_FLAG_WRITE, Size = 4096 },
            VfioRegion.Absent,
            new VfioRegion { Flags = ReadWrite, Size = 4096 },
            new VfioRegion { Flags = ReadWrite, Size = LargeSize },
        ];
        Memory = [.. Regions.Select(r => new byte[r.Size])];
    }

    public override VfioDeviceFlags Flags => VfioDeviceFlags.VFIO_DEVICE_FLAGS_PCI | VfioDeviceFlags.VFIO_DEVICE_FLAGS_RESET;

    public override IReadOnlyList<VfioRegion> Regions { get; }

    public override IReadOnlyList<VfioIrqInfo> Irqs { get; } =
    [
        new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD | VfioIrqFlags.VFIO_IRQ_INFO_MASKABLE | VfioIrqFlags.VFIO_IRQ_INFO_AUTOMASKED, 1),
        new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD, 0),
        new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD | VfioIrqFlags.VFIO_IRQ_INFO_NORESIZE, 8),
        new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD, 0),
        new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD, 1),
    ];

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
        for (int i = 0; i < eventfds.Length; i++)
        {
            if (_triggers.Remove((index, start + (uint)i), out EventFd? old))
            {
                old.Dispose();
            }

            _triggers[(index, start + (uint)i)] = eventfds[i]!;
        }

        return Answer;
    }

    public override void DmaUnmap(ulong iova, ulong length)
    {
        lock (Lock)
        {
            Unmaps.Add((iova, length));
        }
    }

    internal void Raise(int index, uint sub) => _triggers[(index, sub)].Signal();

    internal void WaitForClose() => Assert.True(Closed.Wait(TimeSpan.FromSeconds(10)), "the device was not closed");

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            DropTriggers();
            Iommu.Dispose();
            _file.Dispose();
            Closed.Dispose();
        }
    }

    private void DropTriggers()
    {
        foreach (EventFd trigger in _triggers.Values)
        {
            trigger.Dispose();
        }

        _triggers.Clear();
    }
}
