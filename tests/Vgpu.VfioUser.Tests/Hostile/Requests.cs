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
    internal const int GetIt = (int)VfioDeviceFeatureFlags.VFIO_DEVICE_FEATURE_GET;
    internal const int SetIt = (int)VfioDeviceFeatureFlags.VFIO_DEVICE_FEATURE_SET;
    internal const int ProbeIt = (int)VfioDeviceFeatureFlags.VFIO_DEVICE_FEATURE_PROBE;
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
        new(VFIO_USER_DEVICE_FEATURE, Head(VfioDeviceFeature.VFIO_DEVICE_FEATURE_DMA_LOGGING_START, SetIt | ProbeIt)),
        new(VFIO_USER_DEVICE_FEATURE, Start(Page, 2, (0x10000, Page), (0x20000, 2 * Page))),
        new(VFIO_USER_DEVICE_FEATURE, Report(0x10000, Page, Page)),
        new(VFIO_USER_DMA_UNMAP, UnmapBitmap(0x10000, Page, Page, 8)),
        new(VFIO_USER_DEVICE_FEATURE, Head(VfioDeviceFeature.VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP, SetIt)),
        new(VFIO_USER_DMA_MAP, Map(0x10000, Page)),
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

    internal static byte[] Head(VfioDeviceFeature feature, long flags, uint argsz = 4096) =>
        Wire.Bytes(new DeviceFeature { Argsz = argsz, Flags = (VfioDeviceFeatureFlags)((uint)feature | (uint)flags) });

    internal static byte[] Start(ulong pageSize, uint count, params (ulong Iova, ulong Size)[] ranges) =>
    [
        .. Head(VfioDeviceFeature.VFIO_DEVICE_FEATURE_DMA_LOGGING_START, SetIt),
        .. Wire.Bytes(new DmaLoggingControl { PageSize = pageSize, RangeCount = count }),
        .. ranges.SelectMany(range => Wire.Bytes(new DmaLoggingRange { Iova = range.Iova, Size = range.Size })),
    ];

    internal static byte[] Report(ulong iova, ulong size, ulong pageSize, uint argsz = 1 << 21) =>
    [
        .. Head(VfioDeviceFeature.VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, GetIt, argsz),
        .. Wire.Bytes(new DmaLoggingReport { Iova = iova, Size = size, PageSize = pageSize }),
    ];

    internal static byte[] UnmapBitmap(ulong address, ulong size, ulong pageSize, ulong bytes, uint argsz = 1 << 21, uint flags = 1) =>
        [.. Unmap(address, size, argsz, flags), .. Wire.Bytes(new DirtyBitmap { PageSize = pageSize, Size = bytes })];

    /// <summary>A write brings as many bytes as it says, unless told otherwise; a read brings none.</summary>
    internal static byte[] MigData(uint argsz, uint size, VfioUserCommand command, int? bytes = null) =>
        [.. Wire.Bytes(new MigrationData { Argsz = argsz, Size = size }), .. new byte[bytes ?? (command == VFIO_USER_MIG_DATA_WRITE ? (int)size : 0)]];
}
