// A driver that finds and drives the device as Linux's virtio_pci_modern does: it walks the capabilities in config space
// and reaches the registers through region accesses only (drivers/virtio/virtio_pci_modern_dev.c).
using System.Buffers.Binary;
using Vgpu.Linux;
using Vgpu.Vfio;
using static Vgpu.Pci.PciRegisters;
using static Vgpu.Virtio.VirtioPci;
using static Vgpu.Virtio.VirtioStatus;

namespace Vgpu.Testing;

public sealed class FakeDriver : IDisposable
{
    public const int Timeout = 30_000;
    private const int Config = VfioPciRegions.VFIO_PCI_CONFIG_REGION_INDEX;
    private readonly (int Bar, uint Offset, uint Length)[] _areas = new (int, uint, uint)[6];
    private readonly VfioDevice _function;
    private readonly uint _notifyMultiplier;
    private readonly EventFd[] _events;

    /// <summary>Finds the device; <paramref name="turnOn"/>: and turns it on, where it is not a driver before it that did.</summary>
    public FakeDriver(VfioDevice function, bool msix = false, bool turnOn = true)
    {
        _function = function;
        for (int at = Read8(Config, PCI_CAPABILITY_LIST); at != 0; at = Read8(Config, at + 1))
        {
            byte id = Read8(Config, at);
            if (id == PCI_CAP_ID_MSIX && msix)
            {
                MsixControl = at + 2;
            }

            if (id == PCI_CAP_ID_VNDR)
            {
                byte type = Read8(Config, at + 3);
                _areas[type] = (Read8(Config, at + 4), Read32(Config, at + 8), Read32(Config, at + 12));
                if (type == VIRTIO_PCI_CAP_NOTIFY_CFG)
                {
                    _notifyMultiplier = Read32(Config, at + 16);
                }

                if (type == VIRTIO_PCI_CAP_PCI_CFG)
                {
                    Window = at;
                }
            }
        }

        int index = msix ? VfioPciIrqs.VFIO_PCI_MSIX_IRQ_INDEX : VfioPciIrqs.VFIO_PCI_INTX_IRQ_INDEX;
        _events = [.. Enumerable.Range(0, (int)function.Irqs[index].Count).Select(_ => EventFd.Create())];
        EventFd?[] triggers = [.. _events.Select(e => new EventFd(e.Descriptor.Duplicate()))];
        const VfioIrqSetFlags Assign = VfioIrqSetFlags.VFIO_IRQ_SET_DATA_EVENTFD | VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TRIGGER;
        Assert.Equal(Errno.None, function.SetIrqs(index, 0, (uint)triggers.Length, Assign, default, triggers));
        if (turnOn)
        {
            TurnOn();
        }
    }

    public int MsixControl { get; }

    public int Window { get; }

    public IReadOnlyList<EventFd> Events => _events;

    /// <summary>The BAR of the common configuration.</summary>
    public int CommonBar => _areas[VIRTIO_PCI_CAP_COMMON_CFG].Bar;

    public byte Status => Read8(CommonBar, Common(VIRTIO_PCI_COMMON_STATUS));

    public bool NeedsReset => (Status & VIRTIO_CONFIG_S_NEEDS_RESET) != 0;

    public ulong OfferedFeatures
    {
        get
        {
            Write32(CommonBar, Common(VIRTIO_PCI_COMMON_DFSELECT), 1);
            ulong high = Read32(CommonBar, Common(VIRTIO_PCI_COMMON_DF));
            Write32(CommonBar, Common(VIRTIO_PCI_COMMON_DFSELECT), 0);
            return (high << 32) | Read32(CommonBar, Common(VIRTIO_PCI_COMMON_DF));
        }
    }

    /// <summary>Memory, bus mastering and the vectors: what a reset of the function turns off.</summary>
    public void TurnOn()
    {
        Write16(Config, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
        if (MsixControl != 0)
        {
            Write16(Config, MsixControl, PCI_MSIX_FLAGS_ENABLE);
        }
    }

    public int Common(int register) => (int)_areas[VIRTIO_PCI_CAP_COMMON_CFG].Offset + register;

    public void Reset()
    {
        SetStatus(0);
        Assert.Equal(0, Status);
    }

    public void SetStatus(byte status) => Write8(CommonBar, Common(VIRTIO_PCI_COMMON_STATUS), status);

    /// <summary>Negotiates up to FEATURES_OK; false where the device does not take the features.</summary>
    public bool Negotiate(ulong features)
    {
        Reset();
        SetStatus(VIRTIO_CONFIG_S_ACKNOWLEDGE);
        SetStatus((byte)(Status | VIRTIO_CONFIG_S_DRIVER));
        Write32(CommonBar, Common(VIRTIO_PCI_COMMON_GFSELECT), 0);
        Write32(CommonBar, Common(VIRTIO_PCI_COMMON_GF), (uint)features);
        Write32(CommonBar, Common(VIRTIO_PCI_COMMON_GFSELECT), 1);
        Write32(CommonBar, Common(VIRTIO_PCI_COMMON_GF), (uint)(features >> 32));
        SetStatus((byte)(Status | VIRTIO_CONFIG_S_FEATURES_OK));
        return (Status & VIRTIO_CONFIG_S_FEATURES_OK) != 0;
    }

    public void Setup(FakeQueue queue, ushort vector = VIRTIO_MSI_NO_VECTOR)
    {
        queue.Clear();
        Write16(CommonBar, Common(VIRTIO_PCI_COMMON_Q_SELECT), (ushort)queue.Index);
        Write16(CommonBar, Common(VIRTIO_PCI_COMMON_Q_SIZE), queue.Size);
        WriteHalves(VIRTIO_PCI_COMMON_Q_DESCLO, queue.Table);
        WriteHalves(VIRTIO_PCI_COMMON_Q_AVAILLO, queue.Available);
        WriteHalves(VIRTIO_PCI_COMMON_Q_USEDLO, queue.Used);
        Write16(CommonBar, Common(VIRTIO_PCI_COMMON_Q_MSIX), vector);
        Write16(CommonBar, Common(VIRTIO_PCI_COMMON_Q_ENABLE), 1);
    }

    public void Ready() => SetStatus((byte)(Status | VIRTIO_CONFIG_S_DRIVER_OK));

    public void Start(ulong features, params ReadOnlySpan<FakeQueue> queues)
    {
        Assert.True(Negotiate(features));
        foreach (FakeQueue queue in queues)
        {
            Setup(queue);
        }

        Ready();
    }

    public void Kick(FakeQueue queue)
    {
        (int bar, uint offset, _) = _areas[VIRTIO_PCI_CAP_NOTIFY_CFG];
        Write16(bar, (int)(offset + ((uint)queue.Index * _notifyMultiplier)), (ushort)queue.Index);
    }

    /// <summary>Reads ISR status, as the handler of INTx does, and ends the interrupt as QEMU does.</summary>
    public byte EndOfInterrupt()
    {
        byte isr = Read8(_areas[VIRTIO_PCI_CAP_ISR_CFG].Bar, (int)_areas[VIRTIO_PCI_CAP_ISR_CFG].Offset);
        Unmask();
        return isr;
    }

    public void Unmask() => Check(
        _function.SetIrqs(0, 0, 1, VfioIrqSetFlags.VFIO_IRQ_SET_DATA_NONE | VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_UNMASK, default, default));

    /// <summary>Takes one interrupt within the time limit.</summary>
    public ulong WaitEvent(int vector = 0)
    {
        Assert.True(_events[vector].Wait(Timeout), "No interrupt came.");
        return _events[vector].Take();
    }

    /// <summary>Takes INTx interrupts until the condition holds.</summary>
    public void WaitFor(Func<bool> condition)
    {
        while (!condition())
        {
            WaitEvent();
            EndOfInterrupt();
        }
    }

    public void WaitUsed(FakeQueue queue, int index) => WaitFor(() => queue.UsedIndex == (ushort)index);

    public byte Read8(int region, int offset) => (byte)Read(region, offset, 1);

    public ushort Read16(int region, int offset) => (ushort)Read(region, offset, 2);

    public uint Read32(int region, int offset) => (uint)Read(region, offset, 4);

    public void Write8(int region, int offset, byte value) => Write(region, offset, [value]);

    public void Write16(int region, int offset, ushort value) => Write(region, offset, [(byte)value, (byte)(value >> 8)]);

    public void Write32(int region, int offset, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        Write(region, offset, bytes);
    }

    public void Dispose()
    {
        foreach (EventFd e in _events)
        {
            e.Dispose();
        }
    }

    private ulong Read(int region, int offset, int width)
    {
        Span<byte> bytes = stackalloc byte[8];
        bytes.Clear();
        Check(_function.ReadRegion(region, (ulong)offset, bytes[..width]));
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    private void Write(int region, int offset, ReadOnlySpan<byte> bytes) =>
        Check(_function.WriteRegion(region, (ulong)offset, bytes));

    // Assert.Equal allocates; the test of allocation comes through here.
    private static void Check(Errno errno)
    {
        if (errno != Errno.None)
        {
            Assert.Fail($"The function answered {errno}.");
        }
    }

    private void WriteHalves(int register, ulong value)
    {
        Write32(CommonBar, Common(register), (uint)value);
        Write32(CommonBar, Common(register + 4), (uint)(value >> 32));
    }
}
