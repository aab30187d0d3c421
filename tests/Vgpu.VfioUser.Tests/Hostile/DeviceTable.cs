using Vgpu.Testing;
using static Vgpu.VfioUser.Messages.VfioUserCommand;
using static Vgpu.VfioUser.Tests.Hostile.Requests;

namespace Vgpu.VfioUser.Tests.Hostile;

/// <summary>What the device is: argsz that lies, indexes that are not there.</summary>
internal static class DeviceTable
{
    private static readonly uint[] _noIndex = [9, 10, 255, 1u << 16, 0x7fff_ffff, 1u << 31, uint.MaxValue];

    internal static IReadOnlyList<HostileCase> Cases { get; } =
    [
        .. Short(16).Select(argsz => HostileCase.Invalid($"argsz {argsz}", VFIO_USER_DEVICE_GET_INFO, Info(argsz))),
        .. Short(32).Select(argsz => HostileCase.Invalid($"argsz {argsz}", VFIO_USER_DEVICE_GET_REGION_INFO, RegionInfo(0, argsz))),
        .. Short(16).Select(argsz => HostileCase.Invalid($"argsz {argsz}", VFIO_USER_DEVICE_GET_REGION_IO_FDS, IoFds(0, argsz))),
        .. Short(16).Select(argsz => HostileCase.Invalid($"argsz {argsz}", VFIO_USER_DEVICE_GET_IRQ_INFO, IrqInfo(0, argsz))),
        HostileCase.Accepted("argsz of 4 GiB", VFIO_USER_DEVICE_GET_INFO, Info(uint.MaxValue)),
        HostileCase.Accepted("argsz of 4 GiB", VFIO_USER_DEVICE_GET_REGION_INFO, RegionInfo(FakeDevice.Sparse, uint.MaxValue)),
        HostileCase.Accepted("argsz one short of its capabilities", VFIO_USER_DEVICE_GET_REGION_INFO, RegionInfo(FakeDevice.Sparse, 79)),
        HostileCase.Accepted("argsz of 4 GiB", VFIO_USER_DEVICE_GET_REGION_IO_FDS, IoFds(0, uint.MaxValue)),
        HostileCase.Invalid("a count of its own", VFIO_USER_DEVICE_GET_REGION_IO_FDS, IoFds(0, count: uint.MaxValue)),
        HostileCase.Accepted("argsz of 4 GiB", VFIO_USER_DEVICE_GET_IRQ_INFO, IrqInfo(0, uint.MaxValue)),
        .. _noIndex.Select(index => HostileCase.Invalid($"index {index}", VFIO_USER_DEVICE_GET_REGION_INFO, RegionInfo(index))),
        .. _noIndex.Select(index => HostileCase.Invalid($"index {index}", VFIO_USER_DEVICE_GET_REGION_IO_FDS, IoFds(index))),
        .. _noIndex.Append(5u).Select(index => HostileCase.Invalid($"index {index}", VFIO_USER_DEVICE_GET_IRQ_INFO, IrqInfo(index))),
        HostileCase.Invalid("with a descriptor", VFIO_USER_DEVICE_FEATURE, new byte[8], DescriptorKind.Memory),
    ];

    private static uint[] Short(uint length) => [0, 1, 4, length / 2, length - 1];
}
