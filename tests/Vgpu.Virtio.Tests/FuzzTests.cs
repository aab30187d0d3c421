// Rings of random content, seeded: whatever a driver writes, the device stays within its memory, says at most
// DEVICE_NEEDS_RESET, and works after a reset.
using Vgpu.Testing;
using static Vgpu.Virtio.VirtioFeatures;
using static Vgpu.Virtio.VirtioRing;

namespace Vgpu.Virtio.Tests;

public sealed class FuzzTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(20_260)]
    public void Random_rings_do_no_harm(int seed) => Harm(seed, Campaign.Short(atLeast: 200));

    [Theory]
    [Trait("Length", "long")]
    [InlineData(101)]
    public void Random_rings_do_no_harm_for_long(int seed) => Harm(seed, Campaign.Long());

    private static void Harm(int seed, Campaign campaign)
    {
        var random = new Random(seed);
        using var rig = new Rig();
        ulong tables = rig.Guest.Allocate(4096);
        int broken = 0;
        while (campaign.Next())
        {
            rig.Start(Rig.Features | (random.Next(2) == 0 ? 0 : VIRTIO_F_EVENT_IDX));
            Fill(rig, random, rig.Queue.Table, 16, tables);
            Fill(rig, random, tables, 256, tables);
            int chains = random.Next(1, 20);
            for (int i = 0; i < chains; i++)
            {
                rig.Queue.Offer((ushort)random.Next(random.Next(8) == 0 ? 40 : 16));
                if (random.Next(2) == 0)
                {
                    rig.Driver.Kick(rig.Queue);
                }

                // Under the worker's eyes.
                Fill(rig, random, rig.Queue.Table + (16 * (ulong)random.Next(16)), 1, tables);
            }

            rig.Driver.Kick(rig.Queue);
            if (random.Next(16) == 0)
            {
                rig.Guest.UnmapFirst();
                rig.Guest.MapFirst();
            }

            broken += rig.Driver.NeedsReset ? 1 : 0;
        }

        rig.Start();
        rig.Echo();
        Assert.True(campaign.Rounds > 20 && broken > 0, $"{campaign.Rounds} rounds, {broken} broken");
    }

    private static void Fill(Rig rig, Random random, ulong table, int count, ulong tables)
    {
        for (int i = 0; i < count; i++)
        {
            ulong address = random.Next(12) switch
            {
                0 => (ulong)random.NextInt64(),
                1 => ulong.MaxValue - (ulong)random.Next(64),
                2 => FakeGuest.SecondPiece - (ulong)random.Next(64),
                3 => tables + (16 * (ulong)random.Next(128)),
                _ => rig.Out + (ulong)random.Next(2048),
            };
            uint length = random.Next(10) switch
            {
                0 => 0,
                1 => (uint)random.Next(),
                2 => uint.MaxValue,
                _ => 16 * (uint)random.Next(1, 64),
            };
            int flags = random.Next(6) switch
            {
                0 => VRING_DESC_F_INDIRECT,
                1 => random.Next(0x10000),
                2 => VRING_DESC_F_WRITE,
                3 => VRING_DESC_F_NEXT | VRING_DESC_F_WRITE,
                4 => VRING_DESC_F_NEXT,
                _ => 0,
            };
            rig.Guest.SetDescriptor(table, i, address, length, (ushort)flags, (ushort)random.Next(random.Next(6) == 0 ? 0x10000 : 16));
        }
    }
}
