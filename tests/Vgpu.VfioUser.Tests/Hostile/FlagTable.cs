using Vgpu.Vfio;
using static Vgpu.VfioUser.Messages.VfioUserCommand;
using static Vgpu.VfioUser.Tests.Hostile.Requests;

namespace Vgpu.VfioUser.Tests.Hostile;

/// <summary>Each bit of each flags field that means nothing to this server.</summary>
internal static class FlagTable
{
    internal static IReadOnlyList<HostileCase> Cases { get; } =
    [
        .. Bits(2).Select(bit => HostileCase.Invalid(Name(bit), VFIO_USER_DMA_MAP, Map(0, Page, flags: 3 | (1u << bit)))),
        HostileCase.Invalid("neither read nor write", VFIO_USER_DMA_MAP, Map(0, Page, flags: 0)),
        .. Bits(2).Select(bit => HostileCase.Invalid(Name(bit), VFIO_USER_DMA_UNMAP, Unmap(0, Page, flags: 1u << bit))),
        .. Bits(6).Select(bit => HostileCase.Invalid(Name(bit), VFIO_USER_DEVICE_SET_IRQS, Irqs(0, 0, 1, None | Trigger | (VfioIrqSetFlags)(1u << bit)))),
        .. Bits(0).Select(bit => HostileCase.Invalid(Name(bit), VFIO_USER_DEVICE_GET_REGION_IO_FDS, IoFds(0, flags: 1u << bit))),
    ];

    private static IEnumerable<int> Bits(int first) => Enumerable.Range(first, 32 - first);

    private static string Name(int bit) => $"flag 1 << {bit}";
}
