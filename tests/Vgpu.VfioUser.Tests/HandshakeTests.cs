using Vgpu.Linux;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Tests;

// VFIO_USER_VERSION: what stock clients say first, and what hostile ones do.
public sealed class HandshakeTests
{
    private const VfioUserCommand VFIO_USER_VERSION = VfioUserCommand.VFIO_USER_VERSION;

    [Fact]
    public void Qemu_gets_no_longer_a_reply_than_its_request()
    {
        using var served = new ServedDevice();
        using VfioUserClient client = served.Connect();
        byte[] payload = Wire.Version(Wire.QemuCapabilities + "\0");
        Assert.Equal(214, VfioUserHeader.Length + payload.Length);
        client.Send(7, VFIO_USER_VERSION, payload);
        ReadOnlySpan<byte> reply = client.Receive(out VfioUserHeader header);

        Assert.Equal((7, VfioUserFlags.VFIO_USER_REPLY, 0u), (header.MessageId, header.Flags, header.Error));
        Assert.InRange(header.MessageSize, 0u, 214u);
        Assert.Equal(0, reply[^1]);
        Assert.Equal([0, 0, 0, 0], reply[..4].ToArray());
        Assert.True(VfioUserCapabilities.TryParse(reply[4..], out VfioUserCapabilities capabilities));
        Assert.Equal(VfioUserClient.DefaultCapabilities, capabilities);
    }

    [Fact]
    public void The_answer_is_a_subset_of_the_offer_and_the_lower_minor()
    {
        using var served = new ServedDevice();
        using (VfioUserClient client = served.Connect())
        {
            VfioUserVersion version = client.Negotiate(new VfioUserCapabilities { MaxMsgFds = 1, WriteMultiple = false, TwinSocket = true }, minor: 9);
            Assert.Equal((0, 1, new VfioUserCapabilities { MaxMsgFds = 16 }), (version.Major, version.Minor, version.Capabilities));
            Assert.True(served.Server.IsClientConnected);
            Assert.StartsWith("vfio-user vgpu-", served.Device.Thread, StringComparison.Ordinal);
        }

        served.Device.WaitForClose();
        using VfioUserClient next = served.Connect();
        next.Send(1, VFIO_USER_VERSION, Wire.Version(string.Empty));
        Assert.Equal(4, next.Receive(out _).Length);
    }

    [Theory]
    [InlineData("{}\0")]
    [InlineData("{\"other\": [1, {\"a\": {}}], \"capabilities\": {\"new\": [[]], \"max_msg_fds\": 1}}\0")]
    [InlineData("\0")]
    [InlineData("{\"capabilities\": {}}\0\0\0")]
    public void Accepts(string json)
    {
        using var served = new ServedDevice();
        using VfioUserClient client = served.Connect();
        client.Send(1, VFIO_USER_VERSION, Wire.Version(json));
        _ = client.Receive(out VfioUserHeader header);
        Assert.Equal(VfioUserFlags.VFIO_USER_REPLY, header.Flags);
        Assert.Equal(16u, client.GetDeviceInfo().Argsz);
    }

    public static TheoryData<string> BadVersionData => new(
        "{}",
        "[]\0",
        "{\"capabilities\": 1}\0",
        "{\"capabilities\": {\"max_msg_fds\": -1}}\0",
        "{\"capabilities\": {\"max_msg_fds\": \"8\"}}\0",
        "{\"capabilities\": {\"max_msg_fds\": 8.5}}\0",
        "{\"capabilities\": {\"write_multiple\": 1}}\0",
        "{\"capabilities\": {\"twin_socket\": true}}\0",
        "{\"capabilities\": {}\0",
        "{} {}\0",
        "{\0}\0",
        "{\"a\": " + new string('[', 9) + new string(']', 9) + "}\0",
        "{\"a\": " + new string('[', 4000) + "\0",
        "{\"a\": \"" + new string('x', 5000) + "\"}\0",
        "\u0001\0");

    [Theory]
    [MemberData(nameof(BadVersionData))]
    public void Refuses_version_data_and_closes(string json)
    {
        using var served = new ServedDevice();
        using VfioUserClient client = served.Connect();
        client.Send(3, VFIO_USER_VERSION, Wire.Version(json));
        ServedDevice.AssertRefused(client, 3, VFIO_USER_VERSION, Errno.EINVAL);
        ServedDevice.AssertClosed(client);
        Assert.Equal(0, served.Device.Opens);
    }

    [Fact]
    public void Closes_without_a_word()
    {
        using var served = new ServedDevice();
        byte[][] faults =
        [
            Wire.Message(1, VFIO_USER_VERSION, Wire.Version("{}\0", major: 1)),
            Wire.ReadMessage(1, 0, 0, 4),
            Wire.Message(1, VFIO_USER_VERSION, Wire.Version("{}\0"), VfioUserFlags.VFIO_USER_REPLY),
            Wire.Bytes(new VfioUserHeader { Command = VFIO_USER_VERSION, MessageSize = 15 }),
            Wire.Bytes(new VfioUserHeader { Command = VFIO_USER_VERSION, MessageSize = uint.MaxValue }),
            Wire.Bytes(new VfioUserHeader { Command = VFIO_USER_VERSION, MessageSize = VfioUserLimits.MaxMessageSize + 1 }),
        ];
        foreach (byte[] fault in faults)
        {
            using VfioUserClient client = served.Connect();
            client.SendRaw(fault);
            ServedDevice.AssertClosed(client);
        }

        using VfioUserClient twice = served.Negotiated();
        twice.Send(2, VFIO_USER_VERSION, Wire.Version("{}\0"));
        ServedDevice.AssertClosed(twice);
        served.Device.WaitForClose();
        Assert.Equal((1, 1), (served.Device.Opens, served.Device.Closes));
    }

    [Fact]
    public void A_disconnect_at_every_byte_leaves_the_server_whole()
    {
        using var served = new ServedDevice();
        byte[] conversation =
        [
            .. Wire.Message(1, VFIO_USER_VERSION, Wire.Version("{\"capabilities\":{\"max_msg_fds\":8}}\0")),
            .. Wire.Message(2, VfioUserCommand.VFIO_USER_DEVICE_GET_INFO, Wire.Bytes(new DeviceInfo { Argsz = 16 })),
            .. Wire.ReadMessage(3, 0, 0, 64),
        ];
        for (int length = 0; length <= conversation.Length; length++)
        {
            using VfioUserClient client = served.Connect();
            client.SendRaw(conversation[..length]);
        }

        using VfioUserClient last = served.Negotiated();
        Assert.Equal(9u, last.GetDeviceInfo().RegionCount);
        Assert.Equal(served.Device.Opens - 1, served.Device.Closes);
    }
}
