using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Pci;

/// <summary>What identifies a function in its config space header (PCI Local Bus 3.0, 6.2.1).</summary>
public sealed record PciIdentity(ushort VendorId, ushort DeviceId, byte RevisionId, uint ClassCode, ushort SubsystemVendorId, ushort SubsystemId);

/// <summary>How a function interrupts.</summary>
public enum PciInterruptMode
{
    /// <summary>INTx only: survives hot-unplug from stock QEMU. The default.</summary>
    Intx,

    /// <summary>INTx and MSI-X: never unplug it from stock QEMU, which aborts.</summary>
    Msix,
}

/// <summary>Accesses to a trapped BAR. The offset and length lie within the BAR.</summary>
public interface IMmioHandler
{
    /// <summary>On the transport's thread, without the device's lock. Allocates nothing.</summary>
    void Read(ulong offset, Span<byte> data);

    /// <summary>On the transport's thread, without the device's lock. Allocates nothing.</summary>
    void Write(ulong offset, ReadOnlySpan<byte> data);
}

/// <summary>
/// One base address register. Either <see cref="Handler"/> (trapped) or <see cref="Memory"/> (a memory file that the
/// client maps; accesses that come by message all the same are served from the mapping).
/// </summary>
public sealed record PciBar
{
    /// <summary>0 to 5; a 64-bit one takes the next number too.</summary>
    public required int Index { get; init; }

    /// <summary>Bytes; a power of two, at least 16, and at least a page where memory.</summary>
    public required ulong Size { get; init; }

    public bool Is64Bit { get; init; }

    public bool IsPrefetchable { get; init; }

    public IMmioHandler? Handler { get; init; }

    public FileDescriptor? Memory { get; init; }
}

/// <summary>
/// A PCI function (PCI Local Bus 3.0; PCI Express Base for the extended space): a VFIO device whose regions and
/// interrupts are laid out as vfio_pci lays them out (drivers/vfio/pci/vfio_pci_core.c).
/// </summary>
public abstract class PciFunction : VfioDevice
{
    protected PciFunction(Type2 iommu, PciIdentity identity, PciInterruptMode interrupts, int vectorCount)
        : base(iommu) => throw new NotImplementedException();

    public override VfioDeviceFlags Flags => VfioDeviceFlags.VFIO_DEVICE_FLAGS_PCI | VfioDeviceFlags.VFIO_DEVICE_FLAGS_RESET;

    public override IReadOnlyList<VfioRegion> Regions => throw new NotImplementedException();

    public override IReadOnlyList<VfioIrqInfo> Irqs => throw new NotImplementedException();

    /// <summary>True once the driver has enabled MSI-X with a client trigger: vectors, not INTx, are used. Lock held.</summary>
    protected bool MsixEnabled => throw new NotImplementedException();

    /// <summary>Adds a BAR; before the first access only.</summary>
    protected void AddBar(PciBar bar) => throw new NotImplementedException();

    /// <summary>
    /// Adds a capability: its id and the bytes after the next pointer. Returns its offset in config space. Before the
    /// first access only.
    /// </summary>
    protected int AddCapability(byte id, ReadOnlySpan<byte> body) => throw new NotImplementedException();

    /// <summary>Gives the function an expansion ROM (region 6, BAR 0x30 with size masking).</summary>
    protected void SetRom(ReadOnlyMemory<byte> image) => throw new NotImplementedException();

    /// <summary>Raises MSI-X vector <paramref name="vector"/>; lost where the client assigned none. Lock held.</summary>
    protected void TriggerMsix(int vector) => throw new NotImplementedException();

    /// <summary>Sets the level of INTx: asserted it is signalled once, and again at each unmask while it stays. Lock held.</summary>
    protected void SetIntx(bool asserted) => throw new NotImplementedException();

    /// <summary>The device's own state to power-on. Lock held; config space is reset around it.</summary>
    protected abstract void OnReset();

    /// <summary>Drops what the device holds of the range. Lock held.</summary>
    protected abstract void OnDmaUnmap(ulong iova, ulong length);

    public override Errno ReadRegion(int index, ulong offset, Span<byte> data) => throw new NotImplementedException();

    public override Errno WriteRegion(int index, ulong offset, ReadOnlySpan<byte> data) => throw new NotImplementedException();

    public override Errno SetIrqs(int index, uint start, uint count, VfioIrqSetFlags flags, ReadOnlySpan<byte> bools, ReadOnlySpan<EventFd?> eventfds) => throw new NotImplementedException();

    public override void Close() => throw new NotImplementedException();

    public override void Reset() => throw new NotImplementedException();

    public override void DmaUnmap(ulong iova, ulong length) => throw new NotImplementedException();
}
