using System.Buffers.Binary;
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Bench.Screens;

/// <summary>
/// A PCI function of QEMU's own as its driver sees it: config space by the ports of PCI's configuration mechanism 1, BARs where
/// this puts them. Its driver asks for no interrupts, so none are carried.
/// </summary>
internal sealed class QtestDevice : VfioDevice
{
    private const int AddressPort = 0xcf8;
    private const int DataPort = 0xcfc;
    private const int Bars = 6;
    private const int Config = VfioPciRegions.VFIO_PCI_CONFIG_REGION_INDEX;
    private const uint MemoryType64 = 0x4;

    private readonly QtestConnection _machine;
    private readonly uint _function;
    private readonly ulong[] _bars = new ulong[Bars];

    /// <summary>Gives each BAR of memory a place in a window of its own.</summary>
    /// <param name="machine">Where the function is.</param>
    /// <param name="slot">Its device number on bus 0.</param>
    /// <param name="window">An address that nothing else has, with 64 MiB behind it.</param>
    internal QtestDevice(QtestConnection machine, int slot, ulong window)
        : base(new Type2())
    {
        _machine = machine;
        _function = 0x8000_0000 | ((uint)slot << 11);
        for (int bar = 0; bar < Bars; bar++)
        {
            int register = 0x10 + (4 * bar);
            uint kind = ReadConfig(register, 4);
            WriteConfig(register, 4, uint.MaxValue);
            uint size = ~(ReadConfig(register, 4) & ~15u) + 1;
            if (size == 0 || (kind & 1) != 0)
            {
                continue;
            }

            window = (window + size - 1) & ~((ulong)size - 1);
            _bars[bar] = window;
            WriteConfig(register, 4, (uint)window);
            window += size;
            if ((kind & MemoryType64) != 0)
            {
                WriteConfig(register + 4, 4, 0);
                bar++;
            }
        }
    }

    public override VfioDeviceFlags Flags => VfioDeviceFlags.VFIO_DEVICE_FLAGS_PCI;

    public override IReadOnlyList<VfioRegion> Regions { get; } = [];

    public override IReadOnlyList<VfioIrqInfo> Irqs { get; } = [new VfioIrqInfo(0, 1)];

    public override Errno ReadRegion(int index, ulong offset, Span<byte> data)
    {
        ulong value = index == Config ? ReadConfig((int)offset, data.Length) : _machine.Read(_bars[index] + offset, data.Length);
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        bytes[..data.Length].CopyTo(data);
        return Errno.None;
    }

    public override Errno WriteRegion(int index, ulong offset, ReadOnlySpan<byte> data)
    {
        Span<byte> bytes = stackalloc byte[8];
        bytes.Clear();
        data.CopyTo(bytes);
        ulong value = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        if (index == Config)
        {
            WriteConfig((int)offset, data.Length, (uint)value);
        }
        else
        {
            _machine.Write(_bars[index] + offset, data.Length, value);
        }

        return Errno.None;
    }

    public override Errno SetIrqs(int index, uint start, uint count, VfioIrqSetFlags flags, ReadOnlySpan<byte> bools, ReadOnlySpan<EventFd?> eventfds)
    {
        VfioIrqTriggers.Discard(eventfds);
        return Errno.None;
    }

    public override void Reset()
    {
    }

    public override void Close()
    {
    }

    public override void DmaUnmap(ulong iova, ulong length)
    {
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        Iommu.Dispose();
    }

    private uint ReadConfig(int offset, int width)
    {
        _machine.Out(AddressPort, 4, _function | (uint)(offset & ~3));
        return _machine.In(DataPort + (offset & 3), width);
    }

    private void WriteConfig(int offset, int width, uint value)
    {
        _machine.Out(AddressPort, 4, _function | (uint)(offset & ~3));
        _machine.Out(DataPort + (offset & 3), width, value);
    }
}
