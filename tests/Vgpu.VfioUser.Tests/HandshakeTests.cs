using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Tests;

// VFIO_USER_VERSION: what stock clients say first. What hostile ones say is in Hostile/VersionTable.cs.
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
            Assert.Equal((0, 1, new VfioUserCapabilities { MaxMsgFds = 16, TwinSocket = true, TwinSocketFdIndex = 0 }), (version.Major, version.Minor, version.Capabilities));
            Assert.True(served.Server.IsClientConnected);
            Assert.StartsWith("vfio-user vgpu-", served.Device.Thread, StringComparison.Ordinal);
        }

        served.Device.WaitForClose();
        using VfioUserClient next = served.Connect();
        next.Send(1, VFIO_USER_VERSION, Wire.Version(string.Empty));
        Assert.Equal(4, next.Receive(out _).Length);
    }
}
