using System.Buffers.Binary;
using Vgpu.Pci;
using Vgpu.Screens;
using static Vgpu.Vendors.Bochs.BochsConstants;

namespace Vgpu.Vendors.Bochs;

// BAR 2 of bochs-display (QEMU docs/specs/standard-vga.rst, "MMIO area spec"): EDID, the DISPI registers, the extended
// registers. The VGA ports at 0x400 are not there: reads give zero. Any access size works; a byte changes its half of a
// register. The transport's thread only; what changes anything takes the device's lock, as a checkpoint may be taken any time.
internal sealed partial class BochsMmio : IMmioHandler
{
    private readonly ushort[] _registers = new ushort[VBE_DISPI_INDEX_NB];
    private readonly BochsDisplay _device;
    private readonly BochsScanout _scanout;
    private readonly Head _head;
    private readonly ulong _videoMemory;
    private ReadOnlyMemory<byte> _edid;
    private bool _bigEndian;

    internal BochsMmio(BochsDisplay device, BochsScanout scanout, Head head, ulong videoMemory)
    {
        _device = device;
        _scanout = scanout;
        _head = head;
        _videoMemory = videoMemory;
        _edid = head.Edid;
    }

    public void Read(ulong offset, Span<byte> data)
    {
        for (int i = 0; i < data.Length; i++)
        {
            data[i] = ReadByte((int)offset + i);
        }
    }

    public void Write(ulong offset, ReadOnlySpan<byte> data)
    {
        using Lock.Scope held = _device.InTurn();
        int at = (int)offset;
        int end = at + data.Length;
        bool changed = false;
        for (int i = Math.Max(at, PCI_VGA_BOCHS_OFFSET); i < Math.Min(end, PCI_VGA_BOCHS_OFFSET + PCI_VGA_BOCHS_SIZE); i++)
        {
            changed |= WriteRegisterByte(i - PCI_VGA_BOCHS_OFFSET, data[i - at]);
        }

        if (at == PCI_VGA_QEXT_OFFSET + PCI_VGA_QEXT_REG_BYTEORDER && data.Length == sizeof(uint))
        {
            changed |= SetByteOrder(BinaryPrimitives.ReadUInt32LittleEndian(data));
        }

        if (changed)
        {
            _device.OnRegistersChanged();
            _scanout.SetMode(DispiMode.Of(_registers, _bigEndian, _videoMemory, _head.MaxMode));
        }
    }

    /// <summary>Power-on state: every register zero, the display off, little-endian. False: it was so already.</summary>
    internal bool Reset()
    {
        bool wasSet = _bigEndian || _registers.AsSpan().ContainsAnyExcept((ushort)0);
        Array.Clear(_registers);
        _bigEndian = false;
        _scanout.SetMode(null);
        return wasSet;
    }

    private byte ReadByte(int offset)
    {
        if (offset < PCI_VGA_EDID_SIZE)
        {
            return ReadEdid(offset);
        }

        if (offset is >= PCI_VGA_BOCHS_OFFSET and < PCI_VGA_BOCHS_OFFSET + PCI_VGA_BOCHS_SIZE)
        {
            return HalfOf(ReadRegister((offset - PCI_VGA_BOCHS_OFFSET) / 2), offset & 1);
        }

        return offset is >= PCI_VGA_QEXT_OFFSET and < PCI_VGA_QEXT_OFFSET + PCI_VGA_QEXT_SIZE ? ReadExtended(offset - PCI_VGA_QEXT_OFFSET) : (byte)0;
    }

    // A driver reads from the first byte on: there the EDID is taken whole, so that a new mode does not mix two.
    private byte ReadEdid(int offset)
    {
        ReadOnlyMemory<byte> now = offset == 0 ? _head.Edid : _edid;
        if (!now.Equals(_edid))
        {
            using Lock.Scope held = _device.InTurn();
            _edid = now;
            _device.OnRegistersChanged();
        }

        return offset < _edid.Length ? _edid.Span[offset] : (byte)0;
    }

    private ushort ReadRegister(int index) => index switch
    {
        VBE_DISPI_INDEX_ID => VBE_DISPI_ID5,
        VBE_DISPI_INDEX_VIDEO_MEMORY_64K => (ushort)(_videoMemory / (64 << 10)),
        _ => _registers[index],
    };

    private byte ReadExtended(int offset)
    {
        uint value = offset < PCI_VGA_QEXT_REG_BYTEORDER ? PCI_VGA_QEXT_SIZE : _bigEndian ? PCI_VGA_QEXT_BIG_ENDIAN : PCI_VGA_QEXT_LITTLE_ENDIAN;
        return (byte)(value >> (8 * (offset & 3)));
    }

    private bool WriteRegisterByte(int offset, byte value)
    {
        ref ushort register = ref _registers[offset / 2];
        ushort before = register;
        register = (offset & 1) == 0 ? (ushort)((before & 0xff00) | value) : (ushort)((before & 0x00ff) | (value << 8));
        return register != before;
    }

    private bool SetByteOrder(uint value)
    {
        bool before = _bigEndian;
        _bigEndian = value switch
        {
            PCI_VGA_QEXT_BIG_ENDIAN => true,
            PCI_VGA_QEXT_LITTLE_ENDIAN => false,
            _ => before,
        };
        return _bigEndian != before;
    }

    private static byte HalfOf(ushort value, int half) => (byte)(value >> (8 * half));
}
