using System.Runtime.InteropServices;
using Vgpu.Testing;
using Vgpu.Vfio;
using Vgpu.Vfio.Migration;
using Vgpu.VfioUser.Messages;
using static Vgpu.VfioUser.Messages.VfioUserCommand;

namespace Vgpu.Fuzz.Targets;

/// <summary>Conversations of well-behaved clients, as inputs of <see cref="SessionTarget"/>.</summary>
internal static class SessionSeeds
{
    internal static IEnumerable<byte[]> All =>
    [
        [0, .. Piece(Version(twin: false)), .. Info],
        [0, .. Piece(Version(twin: true)), .. Info],
        [1, .. Info],
        [1, .. Regions],
        [1, .. Interrupts],
        [1, .. Memory],
        [3, .. Memory, .. Dma],
        [1, .. Memory, .. Dma, .. Reply],
        [1, .. Memory, .. Logging],
        [1, .. Migration],
        [1, .. Info, .. Regions, .. Interrupts, .. Memory, .. Logging, .. Migration],
    ];

    internal static byte[] Version(bool twin)
    {
        byte[] json = new VfioUserCapabilities
        {
            MaxMsgFds = 16,
            MaxDataXferSize = 1 << 20,
            MaxDmaMaps = 65_535,
            PageSizes = 4096,
            WriteMultiple = true,
            TwinSocket = twin ? true : null,
        }.Format();
        return Message(VFIO_USER_VERSION, [.. Bytes(new VersionMessage { Minor = 1 }), .. json]);
    }

    private static byte[] Info =>
    [
        .. Ask(VFIO_USER_DEVICE_GET_INFO, new DeviceInfo { Argsz = 16 }),
        .. Ask(VFIO_USER_DEVICE_GET_REGION_INFO, new RegionInfo { Argsz = 32, Index = 1 }),
        .. Ask(VFIO_USER_DEVICE_GET_REGION_INFO, new RegionInfo { Argsz = 64, Index = 1 }),
        .. Ask(VFIO_USER_DEVICE_GET_REGION_IO_FDS, new RegionIoFds { Argsz = 256 }),
        .. Ask(VFIO_USER_DEVICE_GET_IRQ_INFO, new IrqInfo { Argsz = 16, Index = 2 }),
        .. Piece(Message(VFIO_USER_DEVICE_RESET, [])),
    ];

    private static byte[] Regions =>
    [
        .. Ask(VFIO_USER_REGION_READ, new RegionAccess { Count = 4 }),
        .. Piece(Message(VFIO_USER_REGION_WRITE, [.. Bytes(new RegionAccess { Offset = 8, Count = 4 }), 1, 2, 3, 4])),
        .. Piece(Message(VFIO_USER_REGION_WRITE, [.. Bytes(new RegionAccess { Region = 7, Count = 1 }), 1], VfioUserFlags.VFIO_USER_NO_REPLY)),
        .. Piece(Message(VFIO_USER_REGION_WRITE_MULTI, [.. Bytes(1UL), .. Bytes(new RegionWriteEntry { Count = 4, Data = 5 })])),
    ];

    private static byte[] Interrupts =>
    [
        .. Piece(
            Message(VFIO_USER_DEVICE_SET_IRQS, Bytes(new IrqSet { Argsz = 20, Flags = (VfioIrqSetFlags)0x24, Index = 2, Count = 2 })),
            DescriptorKind.Eventfd,
            DescriptorKind.Eventfd),
        .. Piece(Message(VFIO_USER_DEVICE_SET_IRQS, [.. Bytes(new IrqSet { Argsz = 22, Flags = (VfioIrqSetFlags)0x22, Index = 2, Count = 2 }), 1, 0])),
        .. Ask(VFIO_USER_DEVICE_SET_IRQS, new IrqSet { Argsz = 20, Flags = (VfioIrqSetFlags)0x11, Count = 1 }),
        .. Ask(VFIO_USER_DEVICE_SET_IRQS, new IrqSet { Argsz = 20, Flags = (VfioIrqSetFlags)0x21, Index = 2 }),
    ];

    private static byte[] Memory =>
    [
        .. Piece(Message(VFIO_USER_DMA_MAP, Bytes(new DmaMap { Argsz = 32, Flags = (DmaMapFlags)3, Address = 0x10000, Size = 0x4000 })), DescriptorKind.Memory),
        .. Piece(Message(VFIO_USER_DMA_MAP, Bytes(new DmaMap { Argsz = 32, Flags = (DmaMapFlags)1, Offset = 0x4000, Address = 0x14000, Size = 0x1000 })), DescriptorKind.ReadOnlyMemory),
        .. Ask(VFIO_USER_DMA_MAP, new DmaMap { Argsz = 32, Flags = (DmaMapFlags)3, Address = 0x20000, Size = 0x2000 }),
        .. Ask(VFIO_USER_DMA_UNMAP, new DmaUnmap { Argsz = 24, Address = 0x14000, Size = 0x1000 }),
    ];

    private static byte[] Dma => [.. Ring(0x10040), .. Ring(0x10140), .. Ring(0x20010), .. Ring(0x20110)];

    private static byte[] Reply =>
    [
        .. Ring(0x20010),
        .. Piece([
            .. Bytes(VfioUserHeader.Request(1, VFIO_USER_DMA_READ, 32, VfioUserFlags.VFIO_USER_REPLY)),
            .. Bytes(new DmaAccess { Address = 0x20000, Count = 16 }),
            .. new byte[16]]),
    ];

    private static byte[] Logging =>
    [
        .. Piece(Feature(0x20006, [.. Bytes(new DmaLoggingControl { PageSize = 4096, RangeCount = 1 }), .. Bytes(new DmaLoggingRange { Iova = 0x10000, Size = 0x4000 })])),
        .. Ring(0x10140),
        .. Piece(Feature(0x10008, Bytes(new DmaLoggingReport { Iova = 0x10000, Size = 0x4000, PageSize = 4096 }))),
        .. Piece(Message(VFIO_USER_DMA_UNMAP, [
            .. Bytes(new DmaUnmap { Argsz = 64, Flags = DmaUnmapFlags.VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP, Address = 0x10000, Size = 0x4000 }),
            .. Bytes(new DirtyBitmap { PageSize = 4096, Size = 8 })])),
        .. Piece(Feature(0x20007, [])),
        .. Piece(Feature(0x20006, Bytes(new DmaLoggingControl { PageSize = 4096 }))),
    ];

    private static byte[] Migration =>
    [
        .. Piece(Feature(0x10001, [])),
        .. Piece(Feature(0x60002, [])),
        .. State(VfioDeviceState.VFIO_DEVICE_STATE_PRE_COPY),
        .. Ask(VFIO_USER_MIG_DATA_READ, new MigrationData { Argsz = 40, Size = 32 }),
        .. State(VfioDeviceState.VFIO_DEVICE_STATE_STOP_COPY),
        .. Ask(VFIO_USER_MIG_DATA_READ, new MigrationData { Argsz = 4104, Size = 4096 }),
        .. State(VfioDeviceState.VFIO_DEVICE_STATE_RESUMING),
        .. Piece(Message(VFIO_USER_MIG_DATA_WRITE, [.. Bytes(new MigrationData { Argsz = 80, Size = 72 }), .. "vGst"u8.ToArray(), 1, 0, 0, 0, .. new byte[64]])),
        .. State(VfioDeviceState.VFIO_DEVICE_STATE_RUNNING),
        .. Piece(Feature(0x10002, [])),
    ];

    private static byte[] State(VfioDeviceState state) => Piece(Feature(0x20002, Bytes(new MigrationState { DeviceState = state })));

    // The device's doorbell: which page, how many bytes, and with 0x100 a write.
    private static byte[] Ring(ulong command) => Piece(Message(VFIO_USER_REGION_WRITE, [.. Bytes(new RegionAccess { Offset = 0x800, Count = 8 }), .. Bytes(command)]));

    private static byte[] Feature(uint flags, byte[] data) =>
        Message(VFIO_USER_DEVICE_FEATURE, [.. Bytes(new DeviceFeature { Argsz = 4096, Flags = (VfioDeviceFeatureFlags)flags }), .. data]);

    private static byte[] Ask<T>(VfioUserCommand command, T payload)
        where T : unmanaged => Piece(Message(command, Bytes(payload)));

    private static byte[] Message(VfioUserCommand command, byte[] payload, VfioUserFlags flags = 0) =>
        [.. Bytes(VfioUserHeader.Request(7, command, payload.Length, flags)), .. payload];

    private static byte[] Piece(byte[] bytes, params DescriptorKind[] kinds) =>
        [(byte)kinds.Length, .. kinds.Select(kind => (byte)kind), (byte)bytes.Length, (byte)(bytes.Length >> 8), .. bytes];

    private static byte[] Bytes<T>(T value)
        where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)).ToArray();
}
