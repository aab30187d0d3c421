// What a function is and how it interrupts. PCI Local Bus 3.0, 6.2.1 and 2.2.6.
namespace Vgpu.Pci;

/// <summary>What identifies a function in its config space header (PCI Local Bus 3.0, 6.2.1).</summary>
/// <param name="VendorId">Who made it, by the PCI SIG's list.</param>
/// <param name="DeviceId">What it is, by the vendor's list: drivers are found by these two.</param>
/// <param name="RevisionId">Which one of it.</param>
/// <param name="ClassCode">Base class, subclass and programming interface, a byte each; the default fits no class.</param>
/// <param name="SubsystemVendorId">Who made the board.</param>
/// <param name="SubsystemId">Which board.</param>
public sealed record PciIdentity(
    ushort VendorId, ushort DeviceId, byte RevisionId = 0, uint ClassCode = 0xff0000, ushort SubsystemVendorId = 0, ushort SubsystemId = 0);

/// <summary>How a function interrupts.</summary>
public enum PciInterruptMode
{
    /// <summary>INTx only: survives hot-unplug from stock QEMU. The default.</summary>
    Intx,

    /// <summary>INTx and MSI-X: never unplug it from stock QEMU, which aborts.</summary>
    Msix,

    /// <summary>No interrupts: interrupt pin 0.</summary>
    None,
}
