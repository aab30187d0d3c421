// Offsets and bits of a type 0 configuration space header, with the spelling of linux/pci_regs.h.
// PCI Local Bus 3.0, 6.1 and 6.2; 6.8.2 for MSI-X.
namespace Vgpu.Pci;

/// <summary>Identities that several functions share (linux/pci_ids.h).</summary>
public static class PciIds
{
    /// <summary>A display controller that is not VGA, as a class code of 3 bytes.</summary>
    public const uint PCI_CLASS_DISPLAY_OTHER = 0x038000;

    /// <summary>The vendor of virtio devices.</summary>
    public const ushort PCI_VENDOR_ID_REDHAT_QUMRANET = 0x1af4;

    /// <summary>The board's vendor that QEMU's devices name.</summary>
    public const ushort PCI_SUBVENDOR_ID_REDHAT_QUMRANET = 0x1af4;

    /// <summary>The board that QEMU's devices name.</summary>
    public const ushort PCI_SUBDEVICE_ID_QEMU = 0x1100;
}

/// <summary>Offsets and bits of the configuration space (linux/pci_regs.h).</summary>
public static class PciRegisters
{
    /// <summary>Vendor, 2 bytes.</summary>
    public const int PCI_VENDOR_ID = 0x00;

    /// <summary>Device, 2 bytes.</summary>
    public const int PCI_DEVICE_ID = 0x02;

    /// <summary>Command register, 2 bytes.</summary>
    public const int PCI_COMMAND = 0x04;

    /// <summary>Status register, 2 bytes.</summary>
    public const int PCI_STATUS = 0x06;

    /// <summary>Revision, 1 byte; the class code is in the 3 bytes after it.</summary>
    public const int PCI_REVISION_ID = 0x08;

    /// <summary>Cache line size in units of 4 bytes, 1 byte.</summary>
    public const int PCI_CACHE_LINE_SIZE = 0x0c;

    /// <summary>First of six base address registers, 4 bytes each.</summary>
    public const int PCI_BASE_ADDRESS_0 = 0x10;

    /// <summary>Vendor of the board, 2 bytes.</summary>
    public const int PCI_SUBSYSTEM_VENDOR_ID = 0x2c;

    /// <summary>The board, 2 bytes.</summary>
    public const int PCI_SUBSYSTEM_ID = 0x2e;

    /// <summary>Base address of the expansion ROM, 4 bytes.</summary>
    public const int PCI_ROM_ADDRESS = 0x30;

    /// <summary>Offset of the first capability, 1 byte.</summary>
    public const int PCI_CAPABILITY_LIST = 0x34;

    /// <summary>Where firmware keeps the interrupt's route, 1 byte.</summary>
    public const int PCI_INTERRUPT_LINE = 0x3c;

    /// <summary>0 for none, 1 for INTA#, 1 byte.</summary>
    public const int PCI_INTERRUPT_PIN = 0x3d;

    /// <summary>Bytes of the header; capabilities follow.</summary>
    public const int PCI_STD_HEADER_SIZEOF = 0x40;

    /// <summary>Bytes of conventional configuration space.</summary>
    public const int PCI_CFG_SPACE_SIZE = 256;

    /// <summary>Bytes of configuration space with the extended part of PCI Express.</summary>
    public const int PCI_CFG_SPACE_EXP_SIZE = 4096;

    /// <summary>Command: answers in I/O space.</summary>
    public const ushort PCI_COMMAND_IO = 0x0001;

    /// <summary>Command: answers in memory space.</summary>
    public const ushort PCI_COMMAND_MEMORY = 0x0002;

    /// <summary>Command: may do DMA.</summary>
    public const ushort PCI_COMMAND_MASTER = 0x0004;

    /// <summary>Command: reports parity errors.</summary>
    public const ushort PCI_COMMAND_PARITY = 0x0040;

    /// <summary>Command: may raise SERR#.</summary>
    public const ushort PCI_COMMAND_SERR = 0x0100;

    /// <summary>Command: may not assert INTx.</summary>
    public const ushort PCI_COMMAND_INTX_DISABLE = 0x0400;

    /// <summary>Status: INTx is asserted, whether or not it is disabled.</summary>
    public const ushort PCI_STATUS_INTERRUPT = 0x0008;

    /// <summary>Status: there is a list of capabilities.</summary>
    public const ushort PCI_STATUS_CAP_LIST = 0x0010;

    /// <summary>Base address: 64 bits, in this register and the next.</summary>
    public const uint PCI_BASE_ADDRESS_MEM_TYPE_64 = 0x04;

    /// <summary>Base address: reading has no side effects.</summary>
    public const uint PCI_BASE_ADDRESS_MEM_PREFETCH = 0x08;

    /// <summary>ROM address: the ROM answers.</summary>
    public const uint PCI_ROM_ADDRESS_ENABLE = 0x01;

    /// <summary>ROM address: the bits of the address.</summary>
    public const uint PCI_ROM_ADDRESS_MASK = 0xfffff800;

    /// <summary>Capability: power management.</summary>
    public const byte PCI_CAP_ID_PM = 0x01;

    /// <summary>Capability: the vendor's own.</summary>
    public const byte PCI_CAP_ID_VNDR = 0x09;

    /// <summary>Capability: MSI-X.</summary>
    public const byte PCI_CAP_ID_MSIX = 0x11;

    /// <summary>MSI-X message control: vectors less 1.</summary>
    public const ushort PCI_MSIX_FLAGS_QSIZE = 0x07ff;

    /// <summary>MSI-X message control: every vector is masked.</summary>
    public const ushort PCI_MSIX_FLAGS_MASKALL = 0x4000;

    /// <summary>MSI-X message control: vectors are used instead of INTx.</summary>
    public const ushort PCI_MSIX_FLAGS_ENABLE = 0x8000;

    /// <summary>Bytes of an entry of the MSI-X table.</summary>
    public const int PCI_MSIX_ENTRY_SIZE = 16;

    /// <summary>Where an entry's vector control is; its bit 0 masks the vector.</summary>
    public const int PCI_MSIX_ENTRY_VECTOR_CTRL = 12;
}
