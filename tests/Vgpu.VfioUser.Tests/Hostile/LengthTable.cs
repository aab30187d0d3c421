using Vgpu.VfioUser.Messages;
using static Vgpu.VfioUser.Messages.VfioUserCommand;

namespace Vgpu.VfioUser.Tests.Hostile;

/// <summary>Every command cut at every byte of its payload, and with bytes that no field claims behind it.</summary>
internal static class LengthTable
{
    private static readonly int[] _more = [1, 4, 8, 4096];

    // Their structures may grow, as the kernel's may: what is not known of them is not looked at.
    private static readonly VfioUserCommand[] _mayBeLonger =
        [VFIO_USER_DEVICE_GET_INFO, VFIO_USER_DEVICE_GET_REGION_INFO, VFIO_USER_DEVICE_GET_REGION_IO_FDS, VFIO_USER_DEVICE_GET_IRQ_INFO];

    // The first of each command, length and number of descriptors.
    private static readonly Ask[] _asks = [.. Requests.Good.DistinctBy(ask => (ask.Command, ask.Payload.Length, ask.Descriptors.Length))];

    internal static IReadOnlyList<HostileCase> Cases { get; } =
    [
        .. _asks.SelectMany(ask => Enumerable.Range(0, ask.Payload.Length)
            .Select(length => HostileCase.Invalid($"{Of(ask)}cut to {length}", ask.Command, ask.Payload[..length], ask.Descriptors))),
        .. _asks.SelectMany(ask => _more.Select(more => Longer(ask, more))),
    ];

    private static HostileCase Longer(Ask ask, int more)
    {
        byte[] payload = [.. ask.Payload, .. new byte[more]];
        string name = $"{Of(ask)}{more} longer";
        bool hasRoomForNumbers = ask.Descriptors.Length * sizeof(int) == more && ask.Command == VFIO_USER_DEVICE_SET_IRQS;
        return _mayBeLonger.Contains(ask.Command) || hasRoomForNumbers || IsProbe(ask)
            ? HostileCase.Accepted(name, ask.Command, payload, ask.Descriptors)
            : HostileCase.Invalid(name, ask.Command, payload, ask.Descriptors);
    }

    private static bool IsProbe(Ask ask) =>
        ask.Command == VFIO_USER_DEVICE_FEATURE && (BitConverter.ToInt32(ask.Payload, sizeof(uint)) & Requests.ProbeIt) != 0;

    private static string Of(Ask ask) =>
        $"{ask.Payload.Length} bytes{(ask.Descriptors.Length == 0 ? string.Empty : $" and {ask.Descriptors.Length} descriptors")}, ";
}
