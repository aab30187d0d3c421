using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.Vfio.Migration;
using Vgpu.VfioUser.Messages;
using static Vgpu.VfioUser.Messages.VfioDeviceFeature;
using static Vgpu.VfioUser.Messages.VfioUserCommand;
using static Vgpu.VfioUser.Tests.Hostile.Requests;

namespace Vgpu.VfioUser.Tests.Hostile;

/// <summary>VFIO_USER_DEVICE_FEATURE, and unmaps that bring dirty pages: methods, ranges and bitmaps that can't be.</summary>
internal static class FeatureTable
{
    private const ulong Top = 0xffff_ffff_ffff_f000;
    private const uint Room = 1 << 20;

    // Everything is tracked, and one map is at 1 MiB.
    private static readonly Ask[] _tracked =
    [
        new(VFIO_USER_DMA_MAP, Map(1 << 20, 4 * Page), DescriptorKind.Memory),
        new(VFIO_USER_DEVICE_FEATURE, Start(Page, 0)),
    ];

    private static readonly Ask[] _resuming = [new(VFIO_USER_DEVICE_FEATURE, State(VfioDeviceState.VFIO_DEVICE_STATE_RESUMING))];

    internal static IReadOnlyList<HostileCase> Cases { get; } =
    [
        .. new uint[] { 0, 4, 7 }.Select(argsz => Feature($"argsz {argsz}", Errno.EINVAL, Head(VFIO_DEVICE_FEATURE_DMA_LOGGING_START, SetIt | ProbeIt, argsz))),
        .. Enumerable.Range(19, 13).Select(bit => Feature($"flag 1 << {bit}", Errno.EINVAL, Head(VFIO_DEVICE_FEATURE_DMA_LOGGING_START, SetIt | ProbeIt | (1u << bit)))),
        .. new[] { 0, 3, 4, 5, 9, 10, 255, 256, 0xffff }.SelectMany(feature =>
            new[] { 0, GetIt, SetIt, ProbeIt, GetIt | SetIt | ProbeIt }.Select(flags =>
                Feature($"feature {feature}, flags {flags:x}", Errno.ENOTTY, [.. Head((VfioDeviceFeature)feature, flags), .. new byte[8]]))),
        .. new[] { 0, SetIt, SetIt | ProbeIt, GetIt | SetIt, GetIt | SetIt | ProbeIt }.Select(flags =>
            Feature($"can it be moved, flags {flags:x}", Errno.EINVAL, [.. Head(VFIO_DEVICE_FEATURE_MIGRATION, flags), .. new byte[8]])),
        .. new[] { 0, SetIt, GetIt | SetIt }.Select(flags =>
            Feature($"its state, flags {flags:x}", Errno.EINVAL, [.. Head(VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, flags), .. new byte[8]])),
        .. Enumerable.Range(0, 8).Select(length =>
            Feature($"a state of {length} bytes", Errno.EINVAL, [.. Head(VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, SetIt), .. new byte[length]])),
        Feature("no method", Errno.EINVAL, Head(VFIO_DEVICE_FEATURE_DMA_LOGGING_START, 0)),
        Feature("both methods", Errno.EINVAL, Head(VFIO_DEVICE_FEATURE_DMA_LOGGING_START, GetIt | SetIt)),
        Feature("get what is set", Errno.EINVAL, Head(VFIO_DEVICE_FEATURE_DMA_LOGGING_START, GetIt)),
        Feature("get what is done", Errno.EINVAL, Head(VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP, GetIt)),
        Feature("set what is reported", Errno.EINVAL, [.. Head(VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, SetIt), .. new byte[24]]),
        Feature("probe what can't be", Errno.EINVAL, Head(VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, SetIt | ProbeIt)),

        Feature("fewer ranges than said", Errno.EINVAL, Start(Page, 2, (0, Page))),
        Feature("more ranges than said", Errno.EINVAL, Start(Page, 1, (0, Page), (Page, Page))),
        Feature("ranges and none said", Errno.EINVAL, Start(Page, 0, (0, Page))),
        Feature("2^32 - 1 ranges", Errno.EINVAL, Start(Page, uint.MaxValue, (0, Page))),
        Feature("ranges × 16 wraps to one", Errno.EINVAL, Start(Page, (1u << 28) + 1, (0, Page))),
        Feature("one range too many", Errno.EINVAL, Start(Page, 1025, [.. Enumerable.Range(0, 1025).Select(i => ((ulong)i * Page, Page))])),
        Feature("a range of nothing", Errno.EINVAL, Start(Page, 1, (0, 0))),
        Feature("a range within a page", Errno.EINVAL, Start(Page, 1, (8, Page))),
        Feature("a range of half a page", Errno.EINVAL, Start(Page, 1, (0, 2048))),
        Feature("a range of small pages for large ones", Errno.EINVAL, Start(1 << 20, 1, (0, Page))),
        Feature("a range that wraps", Errno.EOVERFLOW, Start(Page, 1, (Top, 2 * Page))),
        Feature("a range of nearly all", Errno.ENOMEM, Start(Page, 1, (0, Top))),
        Feature("two ranges of too much", Errno.ENOMEM, Start(Page, 2, (0, 1UL << 50), (1UL << 51, 1UL << 51))),
        Feature("a range twice", Errno.EINVAL, Start(Page, 2, (0, Page), (0, Page))),
        Feature("ranges that touch", Errno.EINVAL, Start(Page, 2, (0, 2 * Page), (Page, 2 * Page))),
        Feature("started twice", Errno.EBUSY, Start(Page, 0)) with { Before = _tracked },
        Feature("started twice, over ranges", Errno.EBUSY, Start(Page, 1, (Top, Page))) with { Before = _tracked },
        .. new ulong[] { 0, 1, 4095, 1UL << 47, 1UL << 63, (1UL << 63) + 1, ulong.MaxValue }.Select(size => Good($"pages of {size}", Start(size, 0))),
        Feature("stopped and never started", Errno.EINVAL, Head(VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP, SetIt)),

        Feature("reported and never started", Errno.EINVAL, Report(0, Page, Page)),
        .. new ulong[] { 0, 3, 4095, 4097, ulong.MaxValue }.Select(size => Reported($"pages of {size}", Errno.EINVAL, Report(0, Page, size))),
        Reported("of nothing", Errno.EINVAL, Report(0, 0, Page)),
        Reported("and more behind it", Errno.EINVAL, [.. Report(0, Page, Page), 0]),
        Reported("that wraps", Errno.EOVERFLOW, Report(Top, 2 * Page, Page)),
        Reported("of 2^64 - 1 bytes", Errno.E2BIG, Report(0, ulong.MaxValue, Page)),
        Reported("of one bit more than a message holds", Errno.E2BIG, Report(0, ((8UL << 20) + 1) * Page, Page)),
        Reported("by bytes, of too many", Errno.E2BIG, Report(0, 1UL << 32, 1)),
        Good("a report by bytes", Report(1 << 20, Page, 1)) with { Before = _tracked },
        Good("a report smaller than its pages", Report(1 << 20, 16, 1UL << 63)) with { Before = _tracked },
        Good("a report without room for it", Report(1 << 20, 4 * Page, Page, argsz: 8)) with { Before = _tracked },
        Good("a report of what is not tracked", Report(1UL << 60, 4 * Page, Page)) with { Before = _tracked },

        Unmapped("never tracked", Errno.EINVAL, UnmapBitmap(1 << 20, 4 * Page, Page, 8)) with { Before = [_tracked[0]] },
        Unmapped("no bitmap", Errno.EINVAL, Unmap(1 << 20, 4 * Page, flags: 1)),
        Unmapped("half a bitmap", Errno.EINVAL, UnmapBitmap(1 << 20, 4 * Page, Page, 8)[..32]),
        Unmapped("more than a bitmap", Errno.EINVAL, [.. UnmapBitmap(1 << 20, 4 * Page, Page, 8), 0]),
        .. new ulong[] { 0, 3, 4097, ulong.MaxValue }.Select(size => Unmapped($"pages of {size}", Errno.EINVAL, UnmapBitmap(1 << 20, 4 * Page, size, 8))),
        .. new ulong[] { 0, 7, Room + 1, ulong.MaxValue, ulong.MaxValue - 39 }.Select(size => Unmapped($"a bitmap of {size}", Errno.EINVAL, UnmapBitmap(1 << 20, 4 * Page, Page, size))),
        Unmapped("argsz one too short", Errno.EINVAL, UnmapBitmap(1 << 20, 4 * Page, Page, 8, argsz: 47)),
        Unmapped("of too much", Errno.E2BIG, UnmapBitmap(0, 1UL << 48, Page, Room)),
        Unmapped("of nothing", Errno.EINVAL, UnmapBitmap(0, 0, Page, 8)),
        Unmapped("nothing there", Errno.ENOENT, UnmapBitmap(0, Page, Page, 8)),
        Unmapped("half a map", Errno.EINVAL, UnmapBitmap(1 << 20, Page, Page, 8)),
        Unmapped("that wraps", Errno.EINVAL, UnmapBitmap(Top, 2 * Page, Page, 8)),
        Unmapped("of all", Errno.EINVAL, UnmapBitmap(0, 0, Page, 8, flags: 3)),
        HostileCase.Accepted("a bitmap far too long", VFIO_USER_DMA_UNMAP, UnmapBitmap(1 << 20, 4 * Page, Page, Room)) with { Before = _tracked },

        .. new long[] { 0, SetIt, GetIt | SetIt, SetIt | ProbeIt, GetIt | SetIt | ProbeIt }.Select(flags =>
            Feature($"migration, flags {flags:x}", Errno.EINVAL, [.. Head(VFIO_DEVICE_FEATURE_MIGRATION, flags), .. new byte[8]])),
        Feature("a state got and set", Errno.EINVAL, State(VfioDeviceState.VFIO_DEVICE_STATE_STOP, GetIt | SetIt)),
        Feature("a state of nothing", Errno.EINVAL, Head(VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, SetIt)),
        Feature("half a state", Errno.EINVAL, State(VfioDeviceState.VFIO_DEVICE_STATE_STOP)[..15]),
        .. new uint[] { 0, 5, 7, 8, 255, 0x8000_0000, uint.MaxValue }.Select(state => Feature($"state {state}", Errno.EINVAL, State((VfioDeviceState)state))),
        Feature("back from STOP_COPY to PRE_COPY", Errno.EINVAL, State(VfioDeviceState.VFIO_DEVICE_STATE_PRE_COPY)) with
        {
            Before = [new(VFIO_USER_DEVICE_FEATURE, State(VfioDeviceState.VFIO_DEVICE_STATE_STOP_COPY))],
        },
        Feature("a state that is nothing", Errno.EINVAL, State(VfioDeviceState.VFIO_DEVICE_STATE_RUNNING)) with { Before = _resuming },
        Feature("a state that is noise", Errno.EINVAL, State(VfioDeviceState.VFIO_DEVICE_STATE_RUNNING)) with
        {
            Before = [.. _resuming, new(VFIO_USER_MIG_DATA_WRITE, MigData(4104, 4096, VFIO_USER_MIG_DATA_WRITE))],
        },
        HostileCase.Invalid("while it is written", VFIO_USER_MIG_DATA_READ, MigData(24, 16, VFIO_USER_MIG_DATA_READ)) with { Before = _resuming },

        .. new[] { VFIO_USER_MIG_DATA_READ, VFIO_USER_MIG_DATA_WRITE }.SelectMany(command => new HostileCase[]
        {
            HostileCase.Invalid("in no such state", command, MigData(24, 16, command)),
            HostileCase.Invalid("nothing", command, MigData(8, 0, command)),
            HostileCase.Invalid("argsz 0", command, MigData(0, 16, command)),
            HostileCase.Invalid("argsz of the data alone", command, MigData(7, 16, command)),
            HostileCase.Invalid("one byte too much", command, MigData(uint.MaxValue, Room + 1, command, 16)),
            HostileCase.Invalid("2^32 - 1 bytes", command, MigData(uint.MaxValue, uint.MaxValue, command, 16)),
            HostileCase.Invalid("says more than it brings", command, MigData(64, 32, command, 31)),
            HostileCase.Invalid("says less than it brings", command, MigData(64, 31, command, 32)),
            HostileCase.Invalid("half its fields", command, new byte[7]),
            HostileCase.Invalid("with a descriptor", command, MigData(24, 16, command), DescriptorKind.Memory),
        }),
    ];

    private static HostileCase Feature(string name, Errno errno, byte[] payload) => HostileCase.Refused(name, VFIO_USER_DEVICE_FEATURE, payload, errno);

    private static byte[] State(VfioDeviceState state, long flags = SetIt) =>
        [.. Head(VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, flags), .. Wire.Bytes(new MigrationState { DeviceState = state })];

    private static HostileCase Good(string name, byte[] payload) => HostileCase.Accepted(name, VFIO_USER_DEVICE_FEATURE, payload);

    private static HostileCase Reported(string name, Errno errno, byte[] payload) => Feature($"a report {name}", errno, payload) with { Before = _tracked };

    private static HostileCase Unmapped(string name, Errno errno, byte[] payload) =>
        HostileCase.Refused($"with a bitmap, {name}", VFIO_USER_DMA_UNMAP, payload, errno) with { Before = _tracked };
}
