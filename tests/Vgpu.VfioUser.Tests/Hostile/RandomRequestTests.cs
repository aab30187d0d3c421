using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Tests.Hostile;

// Requests of the tables with some of their bytes changed: each that wants a reply gets one.
public sealed class RandomRequestTests
{
    private static readonly byte[] _interesting = [0, 0, 0, 0, 1, 2, 3, 4, 8, 16, 32, 64, 128, 255];
    private static readonly HostileCase[] _seeds = [.. HostileCases.Refusals.Where(c => c.Bytes.Length < 1000)];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Requests_of_random_bytes_are_all_answered(int seed) => AskAtRandom(seed, Campaign.Short());

    [Theory]
    [Trait("Length", "long")]
    [InlineData(101)]
    public void Requests_of_random_bytes_are_all_answered_for_long(int seed) => AskAtRandom(seed, Campaign.Long());

    private static void AskAtRandom(int seed, Campaign campaign)
    {
        var random = new Random(seed);
        using var served = new ServedDevice();
        using var odd = new OddDescriptors();
        using VfioUserClient client = served.Negotiated();
        FileDescriptor[] all = [.. OddDescriptors.Kinds.Select(kind => odd[kind])];
        for (ushort id = 1; campaign.Next(); id++)
        {
            HostileCase c = _seeds[random.Next(_seeds.Length)];
            byte[] payload = c.Bytes[VfioUserHeader.Length..];
            for (int i = random.Next(4); i > 0 && payload.Length > 0; i--)
            {
                payload[random.Next(payload.Length)] = _interesting[random.Next(_interesting.Length)];
            }

            bool noReply = random.Next(4) == 0;
            FileDescriptor[] descriptors = random.Next(3) == 0 ? random.GetItems(all, random.Next(5)) : [];
            client.Send(
                id,
                random.Next(8) == 0 ? (VfioUserCommand)random.Next(2, 20) : c.Command,
                payload,
                noReply ? VfioUserFlags.VFIO_USER_NO_REPLY : 0,
                descriptors);
            if (!noReply)
            {
                _ = client.Receive(out VfioUserHeader header);
                Assert.Equal(id, header.MessageId);
            }
        }

        Assert.Equal(9u, client.GetDeviceInfo().RegionCount);
    }
}
