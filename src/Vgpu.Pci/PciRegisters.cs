// Offsets and bits of a type 0 configuration space header, with the spelling of linux/pci_regs.h.
// PCI Local Bus 3.0, 6.1 and 6.2; 6.8.2 for MSI-X.
namespace Vgpu.Pci;

/// <summary>Identities that several functions share (linux/pci_ids.h).</summary>
public static class PciIds
{
    public const uint PCI_CLASS_DISPLAY_OTHER = 0x038000;
    public const ushort PCI_VENDOR_ID_REDHAT_QUMRANET = 0x1af4;
    public const ushort PCI_SUBVENDOR_ID_REDHAT_QUMRANET = 0x1af4;
    public const ushort PCI_SUBDEVICE_ID_QEMU = 0x1100;
}

/// <summary>Offsets and bits of the configuration space (linux/pci_regs.h).</summary>
public static class PciRegisters
{
    public const int PCI_VENDOR_ID = 0x00;
    public const int PCI_DEVICE_ID = 0x02;
    public const int PCI_COMMAND = 0x04;
    public const int PCI_STATUS = 0x06;
    public const int PCI_REVISION_ID = 0x08;
    public const int PCI_CACHE_LINE_SIZE = 0x0c;
    public const int PCI_BASE_ADDRESS_0 = 0x10;
    public const int PCI_SUBSYSTEM_VENDOR_ID = 0x2c;
    public const int PCI_SUBSYSTEM_ID = 0x2e;
    public const int PCI_ROM_ADDRESS = 0x30;
    public const int PCI_CAPABILITY_LIST = 0x34;
    public const int PCI_INTERRUPT_LINE = 0x3c;
    public const int PCI_INTERRUPT_PIN = 0x3d;
    public const int PCI_STD_HEADER_SIZEOF = 0x40;
    public const int PCI_CFG_SPACE_SIZE = 256;
    public const int PCI_CFG_SPACE_EXP_SIZE = 4096;

    public const ushort PCI_COMMAND_IO = 0x0001;
    public const ushort PCI_COMMAND_MEMORY = 0x0002;
    public const ushort PCI_COMMAND_MASTER = 0x0004;
    public const ushort PCI_COMMAND_PARITY = 0x0040;
    public const ushort PCI_COMMAND_SERR = 0x0100;
    public const ushort PCI_COMMAND_INTX_DISABLE = 0x0400;

    public const ushort PCI_STATUS_INTERRUPT = 0x0008;
    public const ushort PCI_STATUS_CAP_LIST = 0x0010;

    public const uint PCI_BASE_ADDRESS_MEM_TYPE_64 = 0x04;
    public const uint PCI_BASE_ADDRESS_MEM_PREFETCH = 0x08;
    public const uint PCI_ROM_ADDRESS_ENABLE = 0x01;
    public const uint PCI_ROM_ADDRESS_MASK = 0xfffff800;

    public const byte PCI_CAP_ID_PM = 0x01;
    public const byte PCI_CAP_ID_VNDR = 0x09;
    public const byte PCI_CAP_ID_MSIX = 0x11;

    public const ushort PCI_MSIX_FLAGS_QSIZE = 0x07ff;
    public const ushort PCI_MSIX_FLAGS_MASKALL = 0x4000;
    public const ushort PCI_MSIX_FLAGS_ENABLE = 0x8000;
    public const int PCI_MSIX_ENTRY_SIZE = 16;
    public const int PCI_MSIX_ENTRY_VECTOR_CTRL = 12;
}
