using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.VfioUser.Messages;
using static Vgpu.VfioUser.Messages.VfioUserCommand;
using static Vgpu.VfioUser.Tests.Hostile.Requests;

namespace Vgpu.VfioUser.Tests.Hostile;

/// <summary>Descriptors of every wrong kind, too many of them, none, and with commands that take none.</summary>
internal static class DescriptorTable
{
    private static readonly int[] _tooMany = [2, VfioUserLimits.MaxMsgFds, VfioUserLimits.MaxMsgFds + 1, 64, UnixSocket.SCM_MAX_FD];
    private static readonly DescriptorKind[] _all = Enum.GetValues<DescriptorKind>();

    private static readonly Ask[] _takeNone =
        [.. Good.Where(ask => ask.Command is not (VFIO_USER_DMA_MAP or VFIO_USER_DEVICE_SET_IRQS)).DistinctBy(ask => ask.Command)];

    internal static IReadOnlyList<HostileCase> Cases { get; } =
    [
        .. _all.Select(Readable),
        .. _all.Select(Writable),
        .. _tooMany.Select(count => HostileCase.Invalid($"{count} files", VFIO_USER_DMA_MAP, Map(0, Page), Many(DescriptorKind.Memory, count))),
        HostileCase.Accepted("no file", VFIO_USER_DMA_MAP, Map(0, Page)),

        .. _all.Where(kind => kind != DescriptorKind.Eventfd).Select(kind =>
            HostileCase.Invalid($"{kind} for an eventfd", VFIO_USER_DEVICE_SET_IRQS, Irqs(Msix, 0, 1, Eventfd | Trigger), kind)),
        .. _all.Where(kind => kind != DescriptorKind.Eventfd).Select(kind =>
            HostileCase.Invalid($"{kind} for the last eventfd", VFIO_USER_DEVICE_SET_IRQS, Irqs(Msix, 0, 3, Eventfd | Trigger), DescriptorKind.Eventfd, DescriptorKind.Eventfd, kind)),
        .. new[] { (1, 2), (2, 1), (2, 3), (3, 2), (8, 1), (8, 7), (8, 9), (8, 16), (8, 17), (8, 253) }.Select(n => HostileCase.Invalid(
            $"{n.Item2} eventfds for {n.Item1}", VFIO_USER_DEVICE_SET_IRQS, Irqs(Msix, 0, (uint)n.Item1, Eventfd | Trigger), Many(DescriptorKind.Eventfd, n.Item2))),
        HostileCase.Invalid("an eventfd with no data", VFIO_USER_DEVICE_SET_IRQS, Irqs(Msix, 0, 1, None | Trigger), DescriptorKind.Eventfd),
        HostileCase.Invalid("an eventfd with a bool", VFIO_USER_DEVICE_SET_IRQS, Irqs(Msix, 0, 1, Bool | Trigger, [1]), DescriptorKind.Eventfd),
        HostileCase.Invalid("an eventfd to turn an index off", VFIO_USER_DEVICE_SET_IRQS, Irqs(Msix, 0, 0, None | Trigger), DescriptorKind.Eventfd),

        .. _takeNone.SelectMany(ask => new[] { DescriptorKind.Memory, DescriptorKind.Eventfd, DescriptorKind.Own }
            .Select(kind => HostileCase.Invalid($"with {kind}", ask.Command, ask.Payload, kind))),
        .. _takeNone.Select(ask => HostileCase.Invalid("with 253 descriptors", ask.Command, ask.Payload, Many(DescriptorKind.Null, 253))),
        HostileCase.Invalid("with a descriptor", (VfioUserCommand)14, [], DescriptorKind.Memory),
        HostileCase.Closed("a reply with a descriptor", Wire.Message(1, VFIO_USER_REGION_READ, [], VfioUserFlags.VFIO_USER_REPLY)) with { Descriptors = [DescriptorKind.Memory] },
        HostileCase.Closed("an impossible size with descriptors", new byte[16]) with { Descriptors = Many(DescriptorKind.Memory, 16) },
        HostileCase.Closed("descriptors before VFIO_USER_VERSION", Wire.ReadMessage(1, 0, 0, 4)) with { IsFirst = true, Descriptors = Many(DescriptorKind.Own, 3) },
    ];

    private static HostileCase Readable(DescriptorKind kind)
    {
        string name = $"{kind} to read";
        byte[] payload = Map(0, Page, flags: 1);
        return kind switch
        {
            DescriptorKind.Memory or DescriptorKind.ShortMemory or DescriptorKind.UnsealedMemory or DescriptorKind.ReadOnlyMemory or DescriptorKind.NamedLikeEventfd =>
                HostileCase.Accepted(name, VFIO_USER_DMA_MAP, payload, kind),
            DescriptorKind.WriteOnlyMemory => HostileCase.Refused(name, VFIO_USER_DMA_MAP, payload, Errno.EACCES, kind),
            _ => HostileCase.Invalid(name, VFIO_USER_DMA_MAP, payload, kind),
        };
    }

    private static HostileCase Writable(DescriptorKind kind)
    {
        string name = $"{kind} to write";
        byte[] payload = Map(0, Page);
        return kind switch
        {
            DescriptorKind.Memory or DescriptorKind.ShortMemory or DescriptorKind.UnsealedMemory or DescriptorKind.NamedLikeEventfd =>
                HostileCase.Accepted(name, VFIO_USER_DMA_MAP, payload, kind),
            DescriptorKind.WriteOnlyMemory or DescriptorKind.ReadOnlyMemory => HostileCase.Refused(name, VFIO_USER_DMA_MAP, payload, Errno.EACCES, kind),
            _ => HostileCase.Invalid(name, VFIO_USER_DMA_MAP, payload, kind),
        };
    }

    private static DescriptorKind[] Many(DescriptorKind kind, int count) => [.. Enumerable.Repeat(kind, count)];
}
