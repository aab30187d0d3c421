using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;

namespace Vgpu.VfioUser.Tests.Resuming;

/// <summary>
/// A device whose whole state is a memory file that several processes see one after the other, so that what is carried out
/// never, twice or in a wrong order shows.
/// </summary>
internal sealed class SteadyDevice : VfioDevice
{
    /// <summary>Each read gives one more.</summary>
    internal const ulong Counter = 0;

    /// <summary>Takes one number after the other.</summary>
    internal const ulong Sequence = 8;

    /// <summary>Numbers that were neither the next nor the last once more.</summary>
    internal const ulong Errors = 16;

    /// <summary>Numbers that came once more.</summary>
    internal const ulong Repeats = 24;

    /// <summary>A write of an address reads 8 bytes there; a read gives them, or all ones.</summary>
    internal const ulong Dma = 32;

    /// <summary>A write signals this vector.</summary>
    internal const ulong Fire = 40;

    internal const int Registers = 0;
    internal const int Mappable = 1;
    internal const int Large = 2;
    internal const int LargeSize = 2 << 20;
    internal const int Vectors = 4;
    private const VfioRegionFlags ReadWrite = VfioRegionFlags.VFIO_REGION_INFO_FLAG_READ | VfioRegionFlags.VFIO_REGION_INFO_FLAG_WRITE;

    private readonly MemoryMapping _state;
    private readonly VfioIrqTriggers _triggers = new(Vectors);

    internal SteadyDevice(FileDescriptor state)
        : base(new Type2())
    {
        _state = MemoryMapping.Share(state, 0, StateLength, MemoryProtection.ReadWrite);
        Iommu.BusMaster = true;
        Regions =
        [
            new VfioRegion { Flags = ReadWrite, Size = 4096 },
            new VfioRegion { Flags = ReadWrite | VfioRegionFlags.VFIO_REGION_INFO_FLAG_MMAP, Size = 4096, File = state },
            new VfioRegion { Flags = ReadWrite, Size = LargeSize },
        ];
        Irqs = [new(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD, Vectors)];
    }

    internal static ulong StateLength => 4096 + LargeSize;

    public override VfioDeviceFlags Flags => VfioDeviceFlags.VFIO_DEVICE_FLAGS_PCI;

    public override IReadOnlyList<VfioRegion> Regions { get; }

    public override IReadOnlyList<VfioIrqInfo> Irqs { get; }

    /// <summary>Called before the effect of an access, and after it.</summary>
    internal Action<bool>? OnAccess { get; set; }

    internal int Closes { get; private set; }

    public override Errno ReadRegion(int index, ulong offset, Span<byte> data)
    {
        OnAccess?.Invoke(false);
        if (index == Large)
        {
            _state.Span.Slice(4096 + (int)offset, data.Length).CopyTo(data);
        }
        else
        {
            ulong value = offset == Counter ? ++Register(Counter) : Register(offset);
            MemoryMarshal.Write(data, in value);
        }

        OnAccess?.Invoke(true);
        return Errno.None;
    }

    public override Errno WriteRegion(int index, ulong offset, ReadOnlySpan<byte> data)
    {
        OnAccess?.Invoke(false);
        if (index == Large)
        {
            data.CopyTo(_state.Span[(4096 + (int)offset)..]);
        }
        else
        {
            WriteRegister(offset, MemoryMarshal.Read<ulong>(data));
        }

        OnAccess?.Invoke(true);
        return Errno.None;
    }

    public override Errno SetIrqs(int index, uint start, uint count, VfioIrqSetFlags flags, ReadOnlySpan<byte> bools, ReadOnlySpan<EventFd?> eventfds)
    {
        lock (Lock)
        {
            return _triggers.Set(start, count, flags, bools, eventfds);
        }
    }

    public override void Close()
    {
        Closes++;
        lock (Lock)
        {
            _triggers.Clear();
        }
    }

    public override void Reset()
    {
    }

    public override void DmaUnmap(ulong iova, ulong length)
    {
    }

    internal ref ulong Register(ulong offset) => ref MemoryMarshal.AsRef<ulong>(_state.Span[(int)offset..]);

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _triggers.Dispose();
        Iommu.Dispose();
        _state.Dispose();
    }

    private void WriteRegister(ulong offset, ulong value)
    {
        switch (offset)
        {
            case Sequence:
                ref ulong last = ref Register(Sequence);
                Register(Repeats) += value == last ? 1u : 0u;
                Register(Errors) += value == last || value == last + 1 ? 0u : 1u;
                last = value;
                break;
            case Dma:
                Span<byte> bytes = stackalloc byte[8];
                bytes.Fill(0xff);
                _ = DmaRw(value, bytes, write: false);
                Register(Dma) = MemoryMarshal.Read<ulong>(bytes);
                break;
            case Fire:
                lock (Lock)
                {
                    _triggers.Signal((uint)value);
                }

                break;
        }
    }
}
