using Vgpu.Linux;
using static Vgpu.VfioUser.Messages.VfioUserCommand;
using static Vgpu.VfioUser.Tests.Hostile.Requests;

namespace Vgpu.VfioUser.Tests.Hostile;

/// <summary>Region accesses: regions that are not there, ranges that end outside or wrap, counts that lie.</summary>
internal static class RegionTable
{
    private const uint Most = VfioUserLimits.MaxDataXferSize;

    // Each is wrong for a region of 4,096 bytes, for reads, writes and entries of a multiple write alike.
    private static readonly (string Name, uint Region, ulong Offset, uint Count, Errno Errno)[] _ranges =
    [
        ("no such region", 9, 0, 4, Errno.EINVAL),
        ("region -1", uint.MaxValue, 0, 4, Errno.EINVAL),
        ("region 2^31", 1u << 31, 0, 4, Errno.EINVAL),
        ("an absent region", FakeDevice.Absent, 0, 4, Errno.EINVAL),
        ("nothing", 0, 0, 0, Errno.EINVAL),
        ("nothing at the end", 0, 4096, 0, Errno.EINVAL),
        ("one byte over the end", 0, 4093, 4, Errno.EINVAL),
        ("all of it over the end", 0, 4096, 1, Errno.EINVAL),
        ("past the end", 0, 4097, 1, Errno.EINVAL),
        ("2^32 past the end", 0, (1UL << 32) + 8, 4, Errno.EINVAL),
        ("offset 2^63", 0, 1UL << 63, 4, Errno.EINVAL),
        ("offset + count = 2^64", 0, ulong.MaxValue - 3, 4, Errno.EINVAL),
        ("offset + count wraps", 0, ulong.MaxValue, 4, Errno.EINVAL),
        ("offset + count wraps to the end of the region", 0, ulong.MaxValue - 1, 8, Errno.EINVAL),
    ];

    internal static IReadOnlyList<HostileCase> Cases { get; } =
    [
        .. _ranges.Select(r => HostileCase.Refused(r.Name, VFIO_USER_REGION_READ, Wire.Read(r.Region, r.Offset, r.Count), r.Errno)),
        .. _ranges.Select(r => HostileCase.Refused(r.Name, VFIO_USER_REGION_WRITE, Wire.Write(r.Region, r.Offset, r.Count, new byte[r.Count]), r.Errno)),
        .. _ranges.Select(r => HostileCase.Refused(r.Name, VFIO_USER_REGION_WRITE_MULTI, Multi(1, Entry(r.Region, r.Offset, r.Count)), r.Errno)),
        .. _ranges.Select(r => HostileCase.Refused($"second: {r.Name}", VFIO_USER_REGION_WRITE_MULTI, Multi(2, Entry(0, 0, 4), Entry(r.Region, r.Offset, r.Count)), r.Errno)),
        HostileCase.Refused("a region that can't be read", VFIO_USER_REGION_READ, Wire.Read(FakeDevice.WriteOnly, 0, 4), Errno.EPERM),
        HostileCase.Invalid("one byte more than a message holds", VFIO_USER_REGION_READ, Wire.Read(FakeDevice.Large, 0, Most + 1)),
        HostileCase.Invalid("count 2^31", VFIO_USER_REGION_READ, Wire.Read(FakeDevice.Large, 0, 1u << 31)),
        HostileCase.Invalid("count 2^32 - 1", VFIO_USER_REGION_READ, Wire.Read(FakeDevice.Large, 0, uint.MaxValue)),
        HostileCase.Invalid("count 2^32 - 16", VFIO_USER_REGION_READ, Wire.Read(FakeDevice.Large, 0, uint.MaxValue - 15)),

        HostileCase.Refused("a region that can't be written", VFIO_USER_REGION_WRITE, Wire.Write(FakeDevice.ReadOnly, 0, 1, 1), Errno.EPERM),
        HostileCase.Invalid("says more than it brings", VFIO_USER_REGION_WRITE, Wire.Write(0, 0, 4, 1, 2, 3)),
        HostileCase.Invalid("says less than it brings", VFIO_USER_REGION_WRITE, Wire.Write(0, 0, 2, 1, 2, 3)),
        HostileCase.Invalid("says nothing and brings some", VFIO_USER_REGION_WRITE, Wire.Write(0, 0, 0, 1)),
        HostileCase.Invalid("says 4 GiB", VFIO_USER_REGION_WRITE, Wire.Write(0, 0, uint.MaxValue, 1, 2, 3, 4)),
        HostileCase.Invalid("says 4 GiB less its header", VFIO_USER_REGION_WRITE, Wire.Write(0, 0, uint.MaxValue - 15)),
        HostileCase.Invalid("says 1 MiB and brings 1 MiB less one", VFIO_USER_REGION_WRITE, Wire.Write(FakeDevice.Large, 0, Most, new byte[Most - 1])),
        HostileCase.Invalid("1 MiB over the end", VFIO_USER_REGION_WRITE, Wire.Write(FakeDevice.Large, FakeDevice.LargeSize - Most + 1, Most, new byte[Most])),

        HostileCase.Invalid("none", VFIO_USER_REGION_WRITE_MULTI, Multi(0)),
        HostileCase.Invalid("none and brings one", VFIO_USER_REGION_WRITE_MULTI, Multi(0, Entry(0, 0, 4))),
        HostileCase.Invalid("says more than it brings", VFIO_USER_REGION_WRITE_MULTI, Multi(2, Entry(0, 0, 4))),
        HostileCase.Invalid("says less than it brings", VFIO_USER_REGION_WRITE_MULTI, Multi(1, Entry(0, 0, 4), Entry(0, 0, 4))),
        HostileCase.Invalid("count × 24 wraps to one entry and a bit", VFIO_USER_REGION_WRITE_MULTI, Multi(0x0aaaaaaaaaaaaaab, Entry(0, 0, 4))),
        HostileCase.Invalid("count × 24 wraps in 32 bits", VFIO_USER_REGION_WRITE_MULTI, Multi((1UL << 32) + 1, Entry(0, 0, 4))),
        HostileCase.Invalid("count 2^64 - 1", VFIO_USER_REGION_WRITE_MULTI, Multi(ulong.MaxValue, Entry(0, 0, 4))),
        HostileCase.Invalid("count 2^63", VFIO_USER_REGION_WRITE_MULTI, Multi(1UL << 63)),
        HostileCase.Invalid("an entry of 9 bytes", VFIO_USER_REGION_WRITE_MULTI, Multi(1, Entry(0, 0, 9))),
        HostileCase.Invalid("an entry of 4 GiB", VFIO_USER_REGION_WRITE_MULTI, Multi(1, Entry(0, 0, uint.MaxValue))),
        HostileCase.Refused("an entry for what can't be written", VFIO_USER_REGION_WRITE_MULTI, Multi(1, Entry(FakeDevice.ReadOnly, 0, 4)), Errno.EPERM),
        HostileCase.Refused("the last of 43,690 entries", VFIO_USER_REGION_WRITE_MULTI, Multi(43_690, [.. Enumerable.Repeat(Entry(0, 0, 4), 43_689), Entry(9, 0, 4)]), Errno.EINVAL),
    ];
}
