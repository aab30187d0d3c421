using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Tests.Hostile;

/// <summary>Plays a case against a server and asserts that just what it says comes of it.</summary>
internal static class HostileClient
{
    internal static void Play(ServedDevice served, HostileCase c, OddDescriptors odd)
    {
        using (VfioUserClient client = c.IsFirst ? served.Connect() : served.Negotiated())
        {
            foreach (Ask ask in c.Before)
            {
                _ = client.Request(ask.Command, ask.Payload, Descriptors(client, odd, ask.Descriptors));
            }

            client.SendRaw(c.Bytes, Descriptors(client, odd, c.Descriptors));
            AssertOutcome(client, c);
        }

        if (!c.IsFirst || c.Outcome == Outcome.Accepted)
        {
            served.Device.WaitForClose();
        }
    }

    internal static FileDescriptor[] Descriptors(VfioUserClient client, OddDescriptors odd, DescriptorKind[] kinds) =>
        [.. kinds.Select(kind => kind == DescriptorKind.Own ? client.Socket.Descriptor : odd[kind])];

    private static void AssertOutcome(VfioUserClient client, HostileCase c)
    {
        switch (c.Outcome)
        {
            case Outcome.Accepted:
                _ = client.Receive(out VfioUserHeader header);
                Assert.Equal(
                    (HostileCase.MessageId, c.Command, VfioUserFlags.VFIO_USER_REPLY, Errno.None),
                    (header.MessageId, header.Command, header.Flags, (Errno)header.Error));
                break;
            case Outcome.Refused or Outcome.RefusedAndClosed:
                ServedDevice.AssertRefused(client, HostileCase.MessageId, c.Command, c.Errno);
                break;
        }

        if (c.Outcome is Outcome.Accepted or Outcome.Refused)
        {
            Assert.Equal(9u, client.GetDeviceInfo().RegionCount);
        }
        else
        {
            ServedDevice.AssertClosed(client);
        }
    }
}
