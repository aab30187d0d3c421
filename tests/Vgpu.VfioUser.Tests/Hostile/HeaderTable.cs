using Vgpu.Linux;
using Vgpu.VfioUser.Messages;
using static Vgpu.VfioUser.Messages.VfioUserCommand;

namespace Vgpu.VfioUser.Tests.Hostile;

/// <summary>Headers: sizes that can't be, commands that nobody knows, replies and other types where requests belong.</summary>
internal static class HeaderTable
{
    private static readonly uint[] _sizes = [0, 1, 8, 15, VfioUserLimits.MaxMessageSize + 1, 1u << 24, 1u << 31, uint.MaxValue - 15, uint.MaxValue];
    private static readonly ushort[] _unknown = [0, 11, 12, 14, 19, 31, 32, 63, 64, 255, 256, 0x8000, 0xffff];

    internal static IReadOnlyList<HostileCase> Cases { get; } =
    [
        .. _sizes.Select(size => HostileCase.Closed($"header, size {size}", Header(VFIO_USER_DEVICE_GET_INFO, size))),
        .. _sizes.Select(size => HostileCase.Closed($"first header, size {size}", Header(VFIO_USER_VERSION, size)) with { IsFirst = true }),
        .. _unknown.Select(command => HostileCase.Refused("unknown or the server's to ask", (VfioUserCommand)command, new byte[16], Errno.ENOSYS)),
        .. _unknown.Select(command => HostileCase.Refused("unknown and empty", (VfioUserCommand)command, [], Errno.ENOSYS)),
        .. Requests.Good.Select(ask => ask.Command).Concat(_unknown.Select(c => (VfioUserCommand)c)).Distinct()
            .Select(command => HostileCase.Closed($"{command} before VFIO_USER_VERSION", Wire.Message(1, command, Wire.Version("{}\0"))) with { IsFirst = true }),
        .. Requests.Good.DistinctBy(ask => ask.Command)
            .Select(ask => HostileCase.Closed($"{ask.Command} as a reply", Wire.Message(1, ask.Command, ask.Payload, VfioUserFlags.VFIO_USER_REPLY))),
        HostileCase.Closed("an error reply", Wire.Message(1, VFIO_USER_REGION_READ, [], VfioUserFlags.VFIO_USER_REPLY | VfioUserFlags.VFIO_USER_ERROR)),
        HostileCase.Closed("the server's own command as a reply", Wire.Message(1, VFIO_USER_DMA_READ, new byte[16], VfioUserFlags.VFIO_USER_REPLY)),
        HostileCase.Closed("a reply that wants no reply", Wire.Message(1, VFIO_USER_REGION_READ, [], VfioUserFlags.VFIO_USER_REPLY | VfioUserFlags.VFIO_USER_NO_REPLY)),
        .. Enumerable.Range(2, 14).Select(type => WithFlags($"type {type}", (uint)type)),
        .. Enumerable.Range(5, 27).Select(bit => WithFlags($"header flag 1 << {bit}", 1u << bit)),
        WithFlags("every header flag but the type", 0xffff_fff0 & ~(uint)VfioUserFlags.VFIO_USER_NO_REPLY),
        HostileCase.Accepted("an error number in a request", VFIO_USER_REGION_READ, Wire.Read(0, 0, 4)) with
        {
            Bytes =
            [
                .. Wire.Bytes(VfioUserHeader.Request(HostileCase.MessageId, VFIO_USER_REGION_READ, RegionAccess.Length) with { Error = uint.MaxValue }),
                .. Wire.Read(0, 0, 4),
            ],
        },

        // What is left over is the next header, and this one's size is 0.
        HostileCase.Invalid("says that it ends before its payload", VFIO_USER_REGION_READ, Wire.Read(0, 0, 4)) with
        {
            Bytes = [.. Wire.Bytes(VfioUserHeader.Request(HostileCase.MessageId, VFIO_USER_REGION_READ, 0)), .. Wire.Read(0, 0, 4)],
            Outcome = Outcome.RefusedAndClosed,
        },
    ];

    private static byte[] Header(VfioUserCommand command, uint size) =>
        Wire.Bytes(new VfioUserHeader { MessageId = HostileCase.MessageId, Command = command, MessageSize = size });

    private static HostileCase WithFlags(string name, uint flags) => HostileCase.Invalid(name, VFIO_USER_REGION_READ, Wire.Read(0, 0, 4)) with
    {
        Bytes = Wire.Message(HostileCase.MessageId, VFIO_USER_REGION_READ, Wire.Read(0, 0, 4), (VfioUserFlags)flags),
    };
}
