using Vgpu.Testing;
using Vgpu.Vfio;
using Vgpu.VfioUser.Messages;
using static Vgpu.VfioUser.Messages.VfioUserCommand;

namespace Vgpu.VfioUser.Tests.Hostile;

/// <summary>Payloads of requests, right unless asked for something wrong; and one good request of each command.</summary>
internal static class Requests
{
    internal const VfioIrqSetFlags Trigger = VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TRIGGER;
    internal const VfioIrqSetFlags Unmask = VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_UNMASK;
    internal const VfioIrqSetFlags None = VfioIrqSetFlags.VFIO_IRQ_SET_DATA_NONE;
    internal const VfioIrqSetFlags Bool = VfioIrqSetFlags.VFIO_IRQ_SET_DATA_BOOL;
    internal const VfioIrqSetFlags Eventfd = VfioIrqSetFlags.VFIO_IRQ_SET_DATA_EVENTFD;
    internal const int Msix = 2;
    internal const ulong Page = 4096;

    /// <summary>One of each command that a client may send after VFIO_USER_VERSION, each carried out when it is sent whole.</summary>
    internal static IReadOnlyList<Ask> Good { get; } =
    [
        new(VFIO_USER_DEVICE_GET_INFO, Info()),
        new(VFIO_USER_DEVICE_GET_REGION_INFO, RegionInfo(FakeDevice.Sparse)),
        new(VFIO_USER_DEVICE_GET_REGION_IO_FDS, IoFds(0)),
        new(VFIO_USER_DEVICE_GET_IRQ_INFO, IrqInfo(0)),
        new(VFIO_USER_DEVICE_SET_IRQS, Irqs(Msix, 0, 3, Bool | Trigger, [1, 0, 1])),
        new(VFIO_USER_DEVICE_SET_IRQS, Irqs(Msix, 0, 2, Eventfd | Trigger), DescriptorKind.Eventfd, DescriptorKind.Eventfd),
        new(VFIO_USER_REGION_READ, Wire.Read(0, 0, 4)),
        new(VFIO_USER_REGION_WRITE, Wire.Write(0, 0, 4, 1, 2, 3, 4)),
        new(VFIO_USER_REGION_WRITE_MULTI, Multi(2, Entry(0, 0, 4), Entry(0, 8, 8))),
        new(VFIO_USER_DMA_MAP, Map(0x10000, Page), DescriptorKind.Memory),
        new(VFIO_USER_DMA_UNMAP, Unmap(0x10000, Page)),
        new(VFIO_USER_DEVICE_RESET, []),
    ];

    internal static byte[] Info(uint argsz = DeviceInfo.Length) => Wire.Bytes(new DeviceInfo { Argsz = argsz });

    internal static byte[] RegionInfo(uint index, uint argsz = Messages.RegionInfo.Length) => Wire.Bytes(new RegionInfo { Argsz = argsz, Index = index });

    internal static byte[] IoFds(uint index, uint argsz = RegionIoFds.Length, uint flags = 0, uint count = 0) =>
        Wire.Bytes(new RegionIoFds { Argsz = argsz, Flags = flags, Index = index, Count = count });

    internal static byte[] IrqInfo(uint index, uint argsz = Messages.IrqInfo.Length) => Wire.Bytes(new IrqInfo { Argsz = argsz, Index = index });

    internal static byte[] Irqs(uint index, uint start, uint count, VfioIrqSetFlags flags, byte[]? data = null, uint argsz = IrqSet.Length) =>
        [.. Wire.Bytes(new IrqSet { Argsz = argsz, Flags = flags, Index = index, Start = start, Count = count }), .. data ?? []];

    internal static byte[] Map(ulong address, ulong size, ulong offset = 0, uint argsz = DmaMap.Length, uint flags = 3) =>
        Wire.Bytes(new DmaMap { Argsz = argsz, Flags = (DmaMapFlags)flags, Offset = offset, Address = address, Size = size });

    internal static byte[] Unmap(ulong address, ulong size, uint argsz = DmaUnmap.Length, uint flags = 0) =>
        Wire.Bytes(new DmaUnmap { Argsz = argsz, Flags = (DmaUnmapFlags)flags, Address = address, Size = size });

    internal static RegionWriteEntry Entry(uint region, ulong offset, uint count) => new() { Region = region, Offset = offset, Count = count, Data = ulong.MaxValue };

    internal static byte[] Multi(ulong count, params RegionWriteEntry[] entries) => [.. Wire.Bytes(count), .. entries.SelectMany(Wire.Bytes)];
}
