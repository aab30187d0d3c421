// States of random damage, seeded: the device refuses each or works with it, within its quota, and works after a reset.
using Vgpu.Linux;
using Vgpu.Testing;
using static Vgpu.Vendors.VirtioGpu.Tests.GpuCommands;

namespace Vgpu.Vendors.VirtioGpu.Tests;

public sealed class StateFuzzTests
{
    private const ulong Quota = 2 << 20;

    [Theory]
    [InlineData(1)]
    [InlineData(20_261)]
    public void Damaged_states_do_no_harm(int seed) => Harm(seed, Campaign.Short(atLeast: 200));

    [Theory]
    [Trait("Length", "long")]
    [InlineData(102)]
    public void Damaged_states_do_no_harm_for_long(int seed) => Harm(seed, Campaign.Long());

    private static void Harm(int seed, Campaign campaign)
    {
        var random = new Random(seed);
        using var from = new GpuGuest(heads: 2);
        StateTests.Draw(from);
        Assert.Equal(OK, from.Unref(4));
        byte[] large = Move.Save(from.Function);
        Move.Reset(from.Function);
        from.Start(GpuGuest.AllFeatures);
        Assert.Equal(OK, from.Create2D(7, 4, 4));
        Assert.Equal(OK, from.Attach(7, Backing(GpuGuest.PictureOffset, 64)));
        Assert.Equal(OK, from.SetScanout(1, 7, R(0, 0, 4, 4)));
        Assert.Equal(OK, from.CreateBlob(8, 1024, Backing(GpuGuest.PictureOffset, 1024)));
        Assert.Equal(OK, from.SetScanoutBlob(0, 8, R(1, 1, 4, 4), 8, 8, 64));
        byte[] small = Move.Save(from.Function);

        var log = new ListLogger();
        using var to = new GpuGuest(from, heads: 2, videoMemory: Quota, log: log);
        int descriptors = OwnDescriptors.Count("/memfd:vgpu");
        int taken = 0;
        while (campaign.Next())
        {
            Errno errno = Move.Load(to.Function, Move.Damage(random.Next(4) == 0 ? large : small, random));
            Assert.True(errno is Errno.None or Errno.EINVAL or Errno.ENOSPC, $"{errno} in round {campaign.Rounds}");
            Assert.InRange(to.Device.VideoMemoryUsed, 0UL, Quota);
            if (errno == Errno.None)
            {
                taken++;
                Move.Run(to.Function);
                to.Kick();
                _ = to.Screen.Heads[0].Capture(withCursor: true);
                _ = to.Screen.Heads[1].Capture(withCursor: true);
            }

            Move.Reset(to.Function);
            Assert.Equal((0UL, 0), (to.Device.VideoMemoryUsed, to.Device.ResourceCount));
        }

        Assert.True(campaign.Rounds > 50 && taken > 0 && taken < campaign.Rounds, $"{campaign.Rounds} rounds, {taken} taken");
        Assert.Equal(0, log.Count("device model failed"));
        Assert.Equal(descriptors, OwnDescriptors.Count("/memfd:vgpu"));

        // The rings may be what a damaged state made of them: the driver begins anew.
        to.Start(GpuGuest.AllFeatures);
        Assert.Equal(OK, to.Create2D(7, 4, 4));
        Assert.Equal(OK, to.SetScanout(1, 7, R(0, 0, 4, 4)));
    }
}
