using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.VfioUser.Messages;
using static Vgpu.VfioUser.Messages.VfioUserCommand;

namespace Vgpu.VfioUser.Tests.Hostile;

/// <summary>VFIO_USER_VERSION: twice, of another major, cut, and with version data that is no such thing.</summary>
internal static class VersionTable
{
    private static readonly (string Name, string Json)[] _bad =
    [
        ("no NUL", "{}"),
        ("an array", "[]\0"),
        ("a number", "7\0"),
        ("a string", "\"capabilities\"\0"),
        ("null", "null\0"),
        ("capabilities a number", "{\"capabilities\": 1}\0"),
        ("capabilities an array", "{\"capabilities\": []}\0"),
        ("a negative number", "{\"capabilities\": {\"max_msg_fds\": -1}}\0"),
        ("a number as text", "{\"capabilities\": {\"max_msg_fds\": \"8\"}}\0"),
        ("half a number", "{\"capabilities\": {\"max_msg_fds\": 8.5}}\0"),
        ("2^64", "{\"capabilities\": {\"max_dma_maps\": 18446744073709551616}}\0"),
        ("1e400", "{\"capabilities\": {\"max_data_xfer_size\": 1e400}}\0"),
        ("a number that is null", "{\"capabilities\": {\"pgsizes\": null}}\0"),
        ("a boolean that is 1", "{\"capabilities\": {\"write_multiple\": 1}}\0"),
        ("a boolean that is text", "{\"capabilities\": {\"write_multiple\": \"true\"}}\0"),
        ("twin_socket a boolean", "{\"capabilities\": {\"twin_socket\": true}}\0"),
        ("twin_socket.supported a number", "{\"capabilities\": {\"twin_socket\": {\"supported\": 1}}}\0"),
        ("an open brace", "{\"capabilities\": {}\0"),
        ("two documents", "{} {}\0"),
        ("a NUL in the middle", "{\0}\0"),
        ("too deep", "{\"a\": " + new string('[', 9) + new string(']', 9) + "}\0"),
        ("far too deep", "{\"a\": " + new string('[', 4000) + "\0"),
        ("too long", "{\"a\": \"" + new string('x', 5000) + "\"}\0"),
        ("1 MiB", "{\"a\": \"" + new string('x', (1 << 20) - 16) + "\"}\0"),
        ("a control character", "\u0001\0"),
        ("a byte order mark", "\ufeff{}\0"),
        ("a trailing comma", "{\"capabilities\": {\"max_msg_fds\": 1,}}\0"),
        ("a comment", "{/* */}\0"),
        ("half a surrogate in a known key", "{\"capabilities\": {\"max_msg_\\udc00\": 1}}\0"),
        ("half a surrogate in twin_socket", "{\"capabilities\": {\"twin_socket\": {\"supp\\ud800\": true}}}\0"),
    ];

    private static readonly (string Name, string Json)[] _odd =
    [
        ("nothing at all", string.Empty),
        ("a NUL alone", "\0"),
        ("nothing but a NUL each", "\0\0\0\0"),
        ("no capabilities", "{}\0"),
        ("more NULs", "{\"capabilities\": {}}\0\0\0"),
        ("what nobody knows", "{\"other\": [1, {\"a\": {}}], \"capabilities\": {\"new\": [[]], \"max_msg_fds\": 1}}\0"),
        ("a key twice", "{\"capabilities\": {\"max_msg_fds\": 1, \"max_msg_fds\": 2}}\0"),
        ("capabilities twice", "{\"capabilities\": {\"max_msg_fds\": 1}, \"capabilities\": {}}\0"),
        ("a key in escapes", "{\"\\u0063apabilities\": {}}\0"),
        ("half a surrogate in an unknown key", "{\"cap\\ud800\": {}}\0"),
        ("the largest numbers", "{\"capabilities\": {\"max_msg_fds\": 18446744073709551615, \"max_dma_maps\": 18446744073709551615}}\0"),
        ("zeros", "{\"capabilities\": {\"max_msg_fds\": 0, \"max_data_xfer_size\": 0, \"max_dma_maps\": 0, \"pgsizes\": 0}}\0"),
    ];

    internal static IReadOnlyList<HostileCase> Cases { get; } =
    [
        .. _bad.Select(bad => Refused(bad.Name, Wire.Version(bad.Json))),
        .. Enumerable.Range(0, VersionMessage.Length).Select(length => Refused($"cut to {length} bytes", new byte[length])),
        Refused("with a descriptor", Wire.Version("{}\0")) with { Descriptors = [DescriptorKind.Memory] },
        Refused("no request", Wire.Version("{}\0")) with { Bytes = Wire.Message(HostileCase.MessageId, VFIO_USER_VERSION, Wire.Version("{}\0"), (VfioUserFlags)2) },
        .. _odd.Select(odd => HostileCase.Accepted(odd.Name, VFIO_USER_VERSION, Wire.Version(odd.Json)) with { IsFirst = true }),
        HostileCase.Accepted("a far minor", VFIO_USER_VERSION, Wire.Version("{}\0", minor: ushort.MaxValue)) with { IsFirst = true },
        First("another major", Wire.Message(1, VFIO_USER_VERSION, Wire.Version("{}\0", major: 1))),
        First("a far major", Wire.Message(1, VFIO_USER_VERSION, Wire.Version("{}\0", major: ushort.MaxValue))),
        First("VFIO_USER_VERSION as a reply", Wire.Message(1, VFIO_USER_VERSION, Wire.Version("{}\0"), VfioUserFlags.VFIO_USER_REPLY)),
        HostileCase.Closed("VFIO_USER_VERSION twice", Wire.Message(2, VFIO_USER_VERSION, Wire.Version("{}\0"))),
        HostileCase.Closed("VFIO_USER_VERSION twice, the second wrong", Wire.Message(2, VFIO_USER_VERSION, [])),
        HostileCase.Closed("VFIO_USER_VERSION twice, posted", Wire.Message(2, VFIO_USER_VERSION, Wire.Version("{}\0"), VfioUserFlags.VFIO_USER_NO_REPLY)),
    ];

    private static HostileCase Refused(string name, byte[] payload) => HostileCase.Refused(name, VFIO_USER_VERSION, payload, Errno.EINVAL) with
    {
        Outcome = Outcome.RefusedAndClosed,
        IsFirst = true,
    };

    private static HostileCase First(string name, byte[] bytes) => HostileCase.Closed(name, bytes) with { IsFirst = true };
}
