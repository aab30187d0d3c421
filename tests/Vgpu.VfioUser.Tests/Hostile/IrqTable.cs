using Vgpu.Testing;
using Vgpu.Vfio;
using static Vgpu.VfioUser.Messages.VfioUserCommand;
using static Vgpu.VfioUser.Tests.Hostile.Requests;

namespace Vgpu.VfioUser.Tests.Hostile;

/// <summary>VFIO_USER_DEVICE_SET_IRQS: ranges outside an index, kinds and actions that exclude each other, data of another length.</summary>
internal static class IrqTable
{
    private const VfioIrqSetFlags Mask = VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_MASK;

    private static readonly (uint Start, uint Count)[] _ranges =
    [
        (8, 1), (7, 2), (0, 9), (1, 8), (4, 1u << 31), (1u << 31, 1), (uint.MaxValue, 1), (uint.MaxValue, 9), (1, uint.MaxValue),
        (4, uint.MaxValue - 3), (4, uint.MaxValue - 2), (8, uint.MaxValue - 7), (9, 0), (8, 0), (1, 0),
    ];

    private static readonly VfioIrqSetFlags[] _kinds = [None, Bool, Eventfd];
    private static readonly VfioIrqSetFlags[] _actions = [Mask, Unmask, Trigger];

    internal static IReadOnlyList<HostileCase> Cases { get; } =
    [
        .. new uint[] { 0, 4, 19 }.Select(argsz => Set($"argsz {argsz}", Irqs(0, 0, 1, None | Trigger, argsz: argsz))),
        .. new uint[] { 5, 9, 255, 1u << 31, uint.MaxValue }.Select(index => Set($"index {index}", Irqs(index, 0, 1, None | Trigger))),
        Set("an index of no interrupt", Irqs(1, 0, 1, None | Trigger)),
        .. _ranges.SelectMany(r => _kinds.Select(kind => Set($"{kind} start {r.Start} count {r.Count}", Irqs(Msix, r.Start, r.Count, kind | Trigger)))),
        .. _kinds.Select(kind => Set($"{kind} and no action", Irqs(0, 0, 1, kind, kind == Bool ? [1] : []))),
        .. _actions.Select(action => Set($"{action} of no kind", Irqs(0, 0, 1, action))),
        Set("two kinds", Irqs(0, 0, 1, None | Bool | Trigger, [1])),
        Set("three kinds", Irqs(0, 0, 1, None | Bool | Eventfd | Trigger, [1])),
        Set("two actions", Irqs(0, 0, 1, None | Unmask | Trigger)),
        Set("three actions", Irqs(0, 0, 1, None | Mask | Unmask | Trigger)),
        Set("no flag at all", Irqs(0, 0, 1, 0)),
        Set("every flag", Irqs(0, 0, 1, (VfioIrqSetFlags)uint.MaxValue)),
        .. _actions.Where(action => action != Trigger).Select(action => Set($"{action} of nothing", Irqs(0, 0, 0, None | action))),
        Set("bools of nothing", Irqs(Msix, 0, 0, Bool | Trigger)),
        Set("eventfds of nothing", Irqs(Msix, 0, 0, Eventfd | Trigger)),
        Set("too few bools", Irqs(Msix, 0, 3, Bool | Trigger, [1, 0])),
        Set("too many bools", Irqs(Msix, 0, 1, Bool | Trigger, [1, 0])),
        Set("no bool", Irqs(Msix, 0, 8, Bool | Trigger)),
        Set("data where none belongs", Irqs(Msix, 0, 1, None | Trigger, [1])),
        Set("half a number of an eventfd", Irqs(Msix, 0, 1, Eventfd | Trigger, [1, 0])),
        Set("numbers for more eventfds", Irqs(Msix, 0, 1, Eventfd | Trigger, new byte[8])),
        HostileCase.Accepted("argsz of 4 GiB", VFIO_USER_DEVICE_SET_IRQS, Irqs(0, 0, 1, None | Trigger, argsz: uint.MaxValue)),
        HostileCase.Accepted("eventfds without any", VFIO_USER_DEVICE_SET_IRQS, Irqs(Msix, 0, 8, Eventfd | Trigger)),
        HostileCase.Accepted("the same eventfd eight times", VFIO_USER_DEVICE_SET_IRQS, Irqs(Msix, 0, 8, Eventfd | Trigger), [.. Enumerable.Repeat(DescriptorKind.Eventfd, 8)]),
    ];

    private static HostileCase Set(string name, byte[] payload) => HostileCase.Invalid(name, VFIO_USER_DEVICE_SET_IRQS, payload);
}
