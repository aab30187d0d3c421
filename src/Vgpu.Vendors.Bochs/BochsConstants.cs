namespace Vgpu.Vendors.Bochs;

// Register numbers and values of the bochs VBE interface and of QEMU's extension: QEMU docs/specs/standard-vga.rst and
// include/hw/display/bochs-vbe.h, whose spelling these keep.
internal static class BochsConstants
{
    internal const ushort PCI_VENDOR_ID_QEMU = 0x1234;
    internal const ushort PCI_DEVICE_ID_QEMU_VGA = 0x1111;

    /// <summary>From revision 2 on, the extended registers are there.</summary>
    internal const byte RevisionId = 2;

    internal const int VBE_DISPI_INDEX_ID = 0x0;
    internal const int VBE_DISPI_INDEX_XRES = 0x1;
    internal const int VBE_DISPI_INDEX_YRES = 0x2;
    internal const int VBE_DISPI_INDEX_BPP = 0x3;
    internal const int VBE_DISPI_INDEX_ENABLE = 0x4;
    internal const int VBE_DISPI_INDEX_BANK = 0x5;
    internal const int VBE_DISPI_INDEX_VIRT_WIDTH = 0x6;
    internal const int VBE_DISPI_INDEX_VIRT_HEIGHT = 0x7;
    internal const int VBE_DISPI_INDEX_X_OFFSET = 0x8;
    internal const int VBE_DISPI_INDEX_Y_OFFSET = 0x9;
    internal const int VBE_DISPI_INDEX_VIDEO_MEMORY_64K = 0xa;
    internal const int VBE_DISPI_INDEX_NB = 0xb;

    internal const ushort VBE_DISPI_ID5 = 0xb0c5;
    internal const ushort VBE_DISPI_ENABLED = 0x01;
    internal const ushort VBE_DISPI_LFB_ENABLED = 0x40;

    internal const int PCI_VGA_EDID_SIZE = 0x400;
    internal const int PCI_VGA_BOCHS_OFFSET = 0x500;
    internal const int PCI_VGA_BOCHS_SIZE = VBE_DISPI_INDEX_NB * 2;
    internal const int PCI_VGA_QEXT_OFFSET = 0x600;
    internal const int PCI_VGA_QEXT_SIZE = 8;
    internal const int PCI_VGA_QEXT_REG_BYTEORDER = 4;
    internal const uint PCI_VGA_QEXT_LITTLE_ENDIAN = 0x1e1e1e1e;
    internal const uint PCI_VGA_QEXT_BIG_ENDIAN = 0xbebebebe;
}
