using System.Buffers.Binary;
using static Vgpu.Vendors.Bochs.BochsConstants;

namespace Vgpu.Vendors.Bochs;

// Whether an option ROM is for this device: header and PCI data structure (PCI Firmware Specification 3.0, 5.1). Firmware
// ignores any other silently, and the operator would wonder.
internal static class BochsRom
{
    private const ushort RomSignature = 0xaa55;
    private const uint DataSignature = 0x52494350; // "PCIR"
    private const int DataPointer = 0x18;
    private const int DataLength = 24;
    private const int MaxSize = 16 << 20;

    /// <summary>Throws <see cref="ArgumentException"/> with a message for the operator; an empty image is none and fits.</summary>
    internal static void Check(ReadOnlySpan<byte> image)
    {
        if (image.IsEmpty)
        {
            return;
        }

        if (image.Length is < DataPointer + 2 or > MaxSize || BinaryPrimitives.ReadUInt16LittleEndian(image) != RomSignature)
        {
            throw new ArgumentException("The option ROM is no PCI expansion ROM: it does not begin with 55 aa.");
        }

        int at = BinaryPrimitives.ReadUInt16LittleEndian(image[DataPointer..]);
        if (at + DataLength > image.Length || BinaryPrimitives.ReadUInt32LittleEndian(image[at..]) != DataSignature)
        {
            throw new ArgumentException("The option ROM is no PCI expansion ROM: it has no PCIR structure.");
        }

        ushort vendor = BinaryPrimitives.ReadUInt16LittleEndian(image[(at + 4)..]);
        ushort device = BinaryPrimitives.ReadUInt16LittleEndian(image[(at + 6)..]);
        if (vendor != PCI_VENDOR_ID_QEMU || device != PCI_DEVICE_ID_QEMU_VGA)
        {
            throw new ArgumentException(
                $"The option ROM is for {vendor:x4}:{device:x4}, not for bochs-display (1234:1111): take SeaBIOS's vgabios-bochs-display.bin.");
        }
    }
}
