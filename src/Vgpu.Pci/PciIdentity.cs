// What a function is and how it interrupts. PCI Local Bus 3.0, 6.2.1 and 2.2.6.
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
