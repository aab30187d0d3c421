using System.Buffers.Binary;
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;

namespace Vgpu.BenchDevice;

/// <summary>
/// The bench device, whose registers bench/vfio-user/client.c lists: BAR 0 holds them, BAR 1 is 1 MiB of plain memory,
/// BAR 2 can be mapped. All of its work is done on the connection's thread, within the access that asks for it.
/// </summary>
internal sealed class WireBenchDevice : VfioDevice
{
    private const uint Magic = 0x4e425556;
    private const uint Version = 1;
    private const int Scratch = 0x08;
    private const int Doorbell = 0x10;
    private const int Operation = 0x38;
    private const int ElapsedNanoseconds = 0x40;
    private const int Succeeded = 0x48;
    private const int ReadOnlyEnd = 0x50;
    private const int RegisterBytes = 4096;
    private const int PlainBytes = 1 << 20;
    private const int MappedBytes = 16 << 20;
    private const int ConfigBytes = 4096;
    private const VfioRegionFlags ReadWrite = VfioRegionFlags.VFIO_REGION_INFO_FLAG_READ | VfioRegionFlags.VFIO_REGION_INFO_FLAG_WRITE;

    private readonly FileDescriptor _file = MemFd.Create("bench-bar2", MappedBytes);
    private readonly MemoryMapping _mapped;
    private readonly byte[] _registers = new byte[RegisterBytes];
    private readonly MemoryMapping _plain = MemoryMapping.Anonymous(PlainBytes);
    private readonly byte[] _config = new byte[ConfigBytes];
    private readonly VfioIrqTriggers[] _triggers;

    internal WireBenchDevice()
        : base(new Type2(NullLogger.Instance))
    {
        _mapped = MemoryMapping.Share(_file, 0, MappedBytes, MemoryProtection.ReadWrite);
        BinaryPrimitives.WriteUInt32LittleEndian(_registers, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(_registers.AsSpan(4), Version);
        Regions =
        [
            new VfioRegion { Flags = ReadWrite, Size = RegisterBytes },
            new VfioRegion { Flags = ReadWrite, Size = PlainBytes },
            new VfioRegion
            {
                Flags = ReadWrite | VfioRegionFlags.VFIO_REGION_INFO_FLAG_MMAP,
                Size = MappedBytes,
                File = _file,
                SparseAreas = [new VfioSparseArea(0, MappedBytes)],
            },
            .. Enumerable.Repeat(VfioRegion.Absent, VfioPciRegions.VFIO_PCI_CONFIG_REGION_INDEX - 3),
            new VfioRegion { Flags = ReadWrite, Size = ConfigBytes },
            VfioRegion.Absent,
        ];
        _triggers = [.. Irqs.Select(irq => new VfioIrqTriggers(irq.Count))];
    }

    public override VfioDeviceFlags Flags => VfioDeviceFlags.VFIO_DEVICE_FLAGS_PCI | VfioDeviceFlags.VFIO_DEVICE_FLAGS_RESET;

    public override IReadOnlyList<VfioRegion> Regions { get; }

    public override IReadOnlyList<VfioIrqInfo> Irqs { get; } =
    [
        new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD, 1),
        default,
        new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD, 32),
        default,
        default,
    ];

    public override void Open() => Iommu.BusMaster = true;

    public override void Close()
    {
        lock (Lock)
        {
            foreach (VfioIrqTriggers triggers in _triggers)
            {
                triggers.Clear();
            }
        }
    }

    public override void Reset()
    {
    }

    // Nothing is kept between two accesses; the lock waits for the one that is under way.
    public override void DmaUnmap(ulong iova, ulong length)
    {
        lock (Lock)
        {
        }
    }

    public override Errno ReadRegion(int index, ulong offset, Span<byte> data)
    {
        Memory(index).Slice((int)offset, data.Length).CopyTo(data);
        return Errno.None;
    }

    public override ReadOnlySpan<byte> ReadableMemory(int index, ulong offset, int length) => Memory(index).Slice((int)offset, length);

    public override Errno WriteRegion(int index, ulong offset, ReadOnlySpan<byte> data)
    {
        if (index != VfioPciRegions.VFIO_PCI_BAR0_REGION_INDEX)
        {
            data.CopyTo(Memory(index)[(int)offset..]);
            return Errno.None;
        }

        switch (offset)
        {
            case Doorbell when data.Length == sizeof(uint):
                lock (Lock)
                {
                    _triggers[VfioPciIrqs.VFIO_PCI_MSIX_IRQ_INDEX].Signal(BinaryPrimitives.ReadUInt32LittleEndian(data));
                }

                break;
            case Operation when data.Length == sizeof(ulong):
                Run(BinaryPrimitives.ReadUInt64LittleEndian(data));
                break;
            case >= Scratch and not (>= ElapsedNanoseconds and < ReadOnlyEnd):
                data.CopyTo(_registers.AsSpan((int)offset));
                break;
        }

        return Errno.None;
    }

    public override Errno SetIrqs(int index, uint start, uint count, VfioIrqSetFlags flags, ReadOnlySpan<byte> bools, ReadOnlySpan<EventFd?> eventfds)
    {
        lock (Lock)
        {
            if ((flags & VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TRIGGER) != 0)
            {
                return _triggers[index].Set(start, count, flags, bools, eventfds);
            }
        }

        VfioIrqTriggers.Discard(eventfds);
        return Errno.None;
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            Close();
            Iommu.Dispose();
            _mapped.Dispose();
            _plain.Dispose();
            _file.Dispose();
        }
    }

    private Span<byte> Memory(int index) => index switch
    {
        VfioPciRegions.VFIO_PCI_BAR0_REGION_INDEX => _registers,
        1 => _plain.Span,
        2 => _mapped.Span,
        _ => _config,
    };

    private void Run(ulong register)
    {
        var operation = new WireOperation(this, _triggers[VfioPciIrqs.VFIO_PCI_MSIX_IRQ_INDEX])
        {
            Iova = Register(0x18),
            Length = Register(0x20),
            Stride = Register(0x28),
            Span = Math.Max(Register(0x30), 1),
        };
        (ulong nanoseconds, ulong succeeded) = operation.Run((byte)register, register >> 8);
        BinaryPrimitives.WriteUInt64LittleEndian(_registers.AsSpan(ElapsedNanoseconds), nanoseconds);
        BinaryPrimitives.WriteUInt64LittleEndian(_registers.AsSpan(Succeeded), succeeded);
    }

    private ulong Register(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(_registers.AsSpan(offset));
}
