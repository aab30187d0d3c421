// A PCI function as a VFIO device: regions 0 to 5 are its BARs, 6 its ROM, 7 its configuration space; interrupts 0 to 4
// are INTx, MSI, MSI-X, ERR, REQ. Follows drivers/vfio/pci/vfio_pci_core.c and vfio_pci_intrs.c; PCI Local Bus 3.0.
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;
using static Vgpu.Pci.PciRegisters;
using static Vgpu.Vfio.VfioPciIrqs;
using static Vgpu.Vfio.VfioPciRegions;

namespace Vgpu.Pci;

/// <summary>
/// A PCI function (PCI Local Bus 3.0; PCI Express Base for the extended space): a VFIO device whose regions and
/// interrupts are laid out as vfio_pci lays them out (drivers/vfio/pci/vfio_pci_core.c).
/// </summary>
/// <remarks>
/// A subclass lays it out in its constructor with <see cref="AddBar"/>, <see cref="AddCapability(byte, ReadOnlySpan{byte})"/>
/// and <see cref="SetRom"/>; the first access fixes that. Config space, SET_IRQS triggers, reset, DMA unmap and close hold
/// the device's lock, and so do registers (<see cref="AddRegisters"/>); accesses to other BARs do not. What an access to config
/// space or registers changes is in the checkpoint before the access is answered; a device whose state changes on other ways
/// says so (<see cref="VfioDevice.StateChanged"/>) and commits that itself. <see cref="IntxLock"/> comes last in the lock order, after a head's: masking
/// and unmasking INTx take only it, so that the end of an interrupt does not wait for queue work.
/// </remarks>
public abstract partial class PciFunction : VfioDevice
{
    private readonly PciConfigSpace _config;
    private readonly PciBar?[] _bars = new PciBar?[6];
    private readonly IMmioHandler?[] _handlers = new IMmioHandler?[VFIO_PCI_NUM_REGIONS];
    private readonly VfioIrqTriggers _msix;
    private readonly VfioIrqTriggers _err = new(1);
    private readonly VfioIrqTriggers _req = new(1);
    private readonly Intx _intx = new();
    private readonly Type2? _ownDomain;
    private readonly MsixTable? _msixTable;
    private readonly int _msixCapability;
    private readonly List<FileDescriptor> _ownFiles = [];
    private readonly List<DeviceThread> _threads = [];
    private VfioRegion[] _regions = [];
    private volatile bool _laidOut;

    /// <summary>A function with a domain of its own, which goes with it: what a device that stands alone is made with.</summary>
    protected PciFunction(PciIdentity identity, PciInterruptMode interrupts = PciInterruptMode.Intx, int vectorCount = 0)
        : this(new Type2(), identity, interrupts, vectorCount) => _ownDomain = Iommu;

    /// <summary><paramref name="vectorCount"/> MSI-X vectors, 1 to 2,048, where the mode has them; otherwise it is not used.</summary>
    protected PciFunction(Type2 iommu, PciIdentity identity, PciInterruptMode interrupts, int vectorCount)
        : base(iommu)
    {
        _config = new PciConfigSpace(identity);
        _config.SetInterruptPin(interrupts == PciInterruptMode.None ? (byte)0 : (byte)1);
        if (interrupts == PciInterruptMode.Msix)
        {
            _msixTable = new MsixTable(vectorCount, this);
            // Message control: vectors - 1; enable and function mask may be written. The offsets follow with the BAR.
            _msixCapability = _config.AddCapability(
                PCI_CAP_ID_MSIX,
                [(byte)(vectorCount - 1), (byte)((vectorCount - 1) >> 8), 0, 0, 0, 0, 0, 0, 0, 0],
                [0, (PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL) >> 8]);
        }

        VectorCount = _msixTable is null ? 0 : vectorCount;
        _msix = new VfioIrqTriggers((uint)VectorCount);
        Irqs =
        [
            new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD | VfioIrqFlags.VFIO_IRQ_INFO_MASKABLE | VfioIrqFlags.VFIO_IRQ_INFO_AUTOMASKED,
                interrupts == PciInterruptMode.None ? 0u : 1u),
            new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD | VfioIrqFlags.VFIO_IRQ_INFO_NORESIZE, 0),
            new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD | VfioIrqFlags.VFIO_IRQ_INFO_NORESIZE, (uint)VectorCount),
            new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD, 1),
            new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD, 1),
        ];
    }

    /// <inheritdoc/>
    public override VfioDeviceFlags Flags => VfioDeviceFlags.VFIO_DEVICE_FLAGS_PCI | VfioDeviceFlags.VFIO_DEVICE_FLAGS_RESET;

    /// <inheritdoc/>
    public override IReadOnlyList<VfioRegion> Regions
    {
        get
        {
            LayOut();
            return _regions;
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<VfioIrqInfo> Irqs { get; }

    /// <summary>MSI-X vectors; 0 without MSI-X.</summary>
    protected int VectorCount { get; }

    /// <summary>
    /// True while vectors, not INTx, carry interrupts: the driver has set MSI-X Enable, or the client has assigned a
    /// vector's trigger (a client with no guest behind it does only that). Lock held.
    /// </summary>
    protected bool MsixEnabled => _msixTable is not null
        && (_msix.Assigned != 0 || (_config.Get16(_msixCapability + 2) & PCI_MSIX_FLAGS_ENABLE) != 0);

    /// <summary>
    /// Guards the level of INTx, last in the lock order. <see cref="SetIntx"/> takes it; a device whose status register
    /// decides the level holds it around the register and the level.
    /// </summary>
    protected Lock IntxLock => _intx.Lock;

    /// <summary>Raises MSI-X vector <paramref name="vector"/>; lost where the client assigned none. Lock held.</summary>
    protected void TriggerMsix(int vector) => _msix.Signal((uint)vector);

    /// <summary>
    /// Takes back vectors that were raised and that the client has not seen yet: after its reset, which its driver may
    /// have followed by freeing what its handlers use, a device is silent. Lock held.
    /// </summary>
    protected void WithdrawMsix() => _msix.Withdraw();

    /// <summary>Sets the level of INTx: asserted it is signalled once, and again at each unmask while it stays. Any thread.</summary>
    protected void SetIntx(bool asserted) => _intx.SetLevel(asserted);

    /// <summary>The device's own state to power-on. Lock held; config space is reset around it.</summary>
    protected abstract void OnReset();

    /// <summary>
    /// Drops what the device holds of the range: a device that keeps no pins and no runs from one unit of work to the next
    /// has nothing to do here. Lock held.
    /// </summary>
    protected virtual void OnDmaUnmap(ulong iova, ulong length)
    {
    }

    /// <summary>The driver has turned bus mastering on or off; the domain follows it already. Lock held.</summary>
    protected virtual void OnBusMaster(bool enabled)
    {
    }

    /// <summary>Config space is about to be read: the place to refresh bytes with <see cref="SetConfig"/>. Lock held.</summary>
    protected virtual void OnConfigRead(int offset, int length)
    {
    }

    /// <summary>Config space has been written, within its write masks. Lock held.</summary>
    protected virtual void OnConfigWritten(int offset, int length)
    {
    }

    /// <summary>Four bytes of config space. Lock held.</summary>
    protected uint GetConfig(int offset) => _config.Get32(offset);

    /// <summary>Sets four bytes of config space whatever the write mask. Lock held.</summary>
    protected void SetConfig(int offset, uint value) => _config.Set32(offset, value);

    /// <inheritdoc/>
    public override Errno ReadRegion(int index, ulong offset, Span<byte> data)
    {
        LayOut();
        if (!Fits(index, offset, data.Length))
        {
            return Errno.EINVAL;
        }

        if (index == VFIO_PCI_CONFIG_REGION_INDEX)
        {
            ReadConfig((int)offset, data);
        }
        else
        {
            _handlers[index]!.Read(offset, data);
        }

        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno WriteRegion(int index, ulong offset, ReadOnlySpan<byte> data)
    {
        LayOut();
        if (!Fits(index, offset, data.Length))
        {
            return Errno.EINVAL;
        }

        if (index == VFIO_PCI_CONFIG_REGION_INDEX)
        {
            WriteConfig((int)offset, data);
        }
        else
        {
            _handlers[index]!.Write(offset, data);
        }

        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno SetIrqs(int index, uint start, uint count, VfioIrqSetFlags flags, ReadOnlySpan<byte> bools, ReadOnlySpan<EventFd?> eventfds)
    {
        VfioIrqSetFlags action = flags & VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TYPE_MASK;
        if (index == VFIO_PCI_INTX_IRQ_INDEX && action != VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TRIGGER)
        {
            return _intx.SetMask(action == VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_MASK, start, count, flags, bools, eventfds);
        }

        using (InTurn())
        {
            if (action != VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TRIGGER)
            {
                VfioIrqTriggers.Discard(eventfds);
                return Errno.ENOTTY;
            }

            switch (index)
            {
                case VFIO_PCI_INTX_IRQ_INDEX:
                    return _intx.SetTrigger(start, count, flags, bools, eventfds);
                case VFIO_PCI_MSIX_IRQ_INDEX:
                    return _msix.Set(start, count, flags, bools, eventfds);
                case VFIO_PCI_ERR_IRQ_INDEX:
                    return _err.Set(start, count, flags, bools, eventfds);
                case VFIO_PCI_REQ_IRQ_INDEX:
                    return _req.Set(start, count, flags, bools, eventfds);
                default:
                    VfioIrqTriggers.Discard(eventfds);
                    return count == 0 ? Errno.None : Errno.EINVAL;
            }
        }
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        LayOut();
        using (InTurn())
        {
            ResetAll();
            StateChanged();
            CommitState();
        }
    }

    /// <inheritdoc/>
    public override void Close()
    {
        LayOut();
        using (InTurn())
        {
            ResetAll();
            _intx.Close();
            _msix.Clear();
            _err.Clear();
            _req.Clear();
            StateChanged();
            CommitState();
        }
    }

    /// <inheritdoc/>
    public override void DmaUnmap(ulong iova, ulong length)
    {
        using (InTurn())
        {
            OnDmaUnmap(iova, length);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _threads.ForEach(thread => thread.Dispose());
            using (InTurn())
            {
                _intx.Dispose();
                _msix.Dispose();
                _err.Dispose();
                _req.Dispose();
            }

            foreach (IMmioHandler? handler in _handlers)
            {
                (handler as MemoryBar)?.Dispose();
            }

            _ownFiles.ForEach(file => file.Dispose());
        }

        base.Dispose(disposing);
        if (disposing)
        {
            _ownDomain?.Dispose();
        }
    }

    private void ResetAll()
    {
        bool mastered = Iommu.BusMaster;
        _config.Reset();
        _msixTable?.Reset();
        ApplyCommand();
        OnReset();
        _intx.SetLevel(false);
        if (mastered)
        {
            OnBusMaster(false);
        }
    }

    private void ReadConfig(int offset, Span<byte> data)
    {
        using (InTurn())
        {
            OnConfigRead(offset, data.Length);
            _config.Read(offset, data);
        }

        int status = PCI_STATUS - offset;
        if (status >= 0 && status < data.Length && _intx.Asserted)
        {
            data[status] |= (byte)PCI_STATUS_INTERRUPT;
        }
    }

    private void WriteConfig(int offset, ReadOnlySpan<byte> data)
    {
        using (InTurn())
        {
            bool mastered = Iommu.BusMaster;
            _config.Write(offset, data);
            StateChanged();
            ApplyCommand();
            OnConfigWritten(offset, data.Length);
            if (Iommu.BusMaster != mastered)
            {
                OnBusMaster(!mastered);
            }

            CommitState();
        }
    }

    private void ApplyCommand()
    {
        ushort command = _config.Command;
        Iommu.BusMaster = (command & PCI_COMMAND_MASTER) != 0;
        _intx.SetDisabled((command & PCI_COMMAND_INTX_DISABLE) != 0);
    }

    private bool Fits(int index, ulong offset, int length)
    {
        if ((uint)index >= (uint)_regions.Length)
        {
            return false;
        }

        ulong size = _regions[index].Size;
        return size != 0 && offset <= size && (ulong)length <= size - offset;
    }
}
