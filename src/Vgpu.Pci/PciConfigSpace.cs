// The configuration space of a function as bytes with a write mask: header, base address registers with their
// sizing, ROM register, capability list. PCI Local Bus 3.0, 6.1 (header), 6.2.5 (base addresses), 6.7 (capabilities).
using System.Buffers.Binary;
using Vgpu.Vfio.Migration;
using static Vgpu.Pci.PciRegisters;

namespace Vgpu.Pci;

/// <summary>
/// Configuration space: 4,096 bytes, of which the extended part is empty (a zero at 0x100 says so). A bit that no mask
/// makes writable keeps its value. Made by one thread; afterwards every access is with the device's lock held.
/// </summary>
internal sealed class PciConfigSpace
{
    private const ushort WritableCommand = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER
        | PCI_COMMAND_PARITY | PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE;

    private readonly byte[] _bytes = new byte[PCI_CFG_SPACE_EXP_SIZE];
    private readonly byte[] _writable = new byte[PCI_CFG_SPACE_EXP_SIZE];
    private readonly byte[] _powerOn = new byte[PCI_CFG_SPACE_EXP_SIZE];
    private int _lastCapability;
    private int _nextCapability = PCI_STD_HEADER_SIZEOF;

    public PciConfigSpace(PciIdentity identity)
    {
        Set16(PCI_VENDOR_ID, identity.VendorId);
        Set16(PCI_DEVICE_ID, identity.DeviceId);
        Set32(PCI_REVISION_ID, (identity.ClassCode << 8) | identity.RevisionId);
        Set16(PCI_SUBSYSTEM_VENDOR_ID, identity.SubsystemVendorId);
        Set16(PCI_SUBSYSTEM_ID, identity.SubsystemId);
        AllowWrites(PCI_COMMAND, WritableCommand, 2);
        AllowWrites(PCI_CACHE_LINE_SIZE, 0xff, 1);
        AllowWrites(PCI_INTERRUPT_LINE, 0xff, 1);
    }

    public ushort Command => Get16(PCI_COMMAND);

    public void SetInterruptPin(byte pin) => _bytes[PCI_INTERRUPT_PIN] = pin;

    /// <summary>Lays out one base address register: its type bits, and as many writable bits as its size leaves.</summary>
    public void AddBar(PciBar bar)
    {
        int at = PCI_BASE_ADDRESS_0 + (4 * bar.Index);
        ulong mask = ~(bar.Size - 1);
        Set32(at, (bar.Is64Bit ? PCI_BASE_ADDRESS_MEM_TYPE_64 : 0) | (bar.IsPrefetchable ? PCI_BASE_ADDRESS_MEM_PREFETCH : 0));
        AllowWrites(at, (uint)mask, 4);
        if (bar.Is64Bit)
        {
            AllowWrites(at + 4, (uint)(mask >> 32), 4);
        }
    }

    /// <summary>Makes the ROM register sizeable: without it a VMM never asks for region 6.</summary>
    public void AddRom(uint size) => AllowWrites(PCI_ROM_ADDRESS, (~(size - 1) & PCI_ROM_ADDRESS_MASK) | PCI_ROM_ADDRESS_ENABLE, 4);

    /// <summary>Appends to the list; the mask says which bits of the body may be written (empty: none).</summary>
    public int AddCapability(byte id, ReadOnlySpan<byte> body, ReadOnlySpan<byte> writable)
    {
        int at = _nextCapability;
        int end = at + 2 + body.Length;
        if (end > PCI_CFG_SPACE_SIZE || writable.Length > body.Length)
        {
            throw new ArgumentException("The capability does not fit the configuration space.", nameof(body));
        }

        _bytes[at] = id;
        body.CopyTo(_bytes.AsSpan(at + 2));
        writable.CopyTo(_writable.AsSpan(at + 2));
        _bytes[_lastCapability == 0 ? PCI_CAPABILITY_LIST : _lastCapability + 1] = (byte)at;
        _bytes[PCI_STATUS] |= (byte)PCI_STATUS_CAP_LIST;
        _lastCapability = at;
        _nextCapability = (end + 3) & ~3;
        return at;
    }

    /// <summary>What the space holds now is what a reset brings back.</summary>
    public void Seal() => _bytes.CopyTo(_powerOn, 0);

    public void Reset() => _powerOn.CopyTo(_bytes, 0);

    public void Read(int offset, Span<byte> data) => _bytes.AsSpan(offset, data.Length).CopyTo(data);

    public void Write(int offset, ReadOnlySpan<byte> data)
    {
        for (int i = 0; i < data.Length; i++)
        {
            byte mask = _writable[offset + i];
            _bytes[offset + i] = (byte)((_bytes[offset + i] & ~mask) | (data[i] & mask));
        }
    }

    /// <summary>Bytes of a saved state: the extended part is empty.</summary>
    public const int StateLength = PCI_CFG_SPACE_SIZE;

    public void SaveState(StateWriter state) => state.Write(_bytes.AsSpan(0, StateLength));

    /// <summary>Takes the bits that may be written. The others say which function it is, and must be this one's.</summary>
    public void LoadState(StateReader state)
    {
        Span<byte> saved = stackalloc byte[StateLength];
        state.Read(saved);
        for (int i = 0; i < saved.Length; i++)
        {
            StateReader.Require(((saved[i] ^ _bytes[i]) & ~_writable[i]) == 0, "the state of another PCI function");
        }

        Write(0, saved);
    }

    public ushort Get16(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(offset));

    public uint Get32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(offset));

    public void Set32(int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(offset), value);

    private void Set16(int offset, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(offset), value);

    private void AllowWrites(int offset, uint mask, int width)
    {
        for (int i = 0; i < width; i++)
        {
            _writable[offset + i] = (byte)(mask >> (8 * i));
        }
    }
}
