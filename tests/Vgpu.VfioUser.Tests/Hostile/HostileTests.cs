using Vgpu.Testing;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Tests.Hostile;

// Every case of the tables by itself, all against one server, which lives on.
public sealed class HostileTests : IClassFixture<HostileTests.Target>
{
    private readonly Target _target;

    public HostileTests(Target target) => _target = target;

    public static TheoryData<string> Names => [.. HostileCases.All.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_hostile_client_gets_what_it_should(string name) =>
        HostileClient.Play(_target.Served, HostileCases.ByName[name], _target.Odd);

    [Fact]
    public void There_are_hundreds_of_them() => Assert.InRange(HostileCases.All.Count, 300, 3000);

    [Fact]
    public void Refusals_on_one_connection_change_nothing_and_fill_no_log()
    {
        using var served = new ServedDevice();
        using var odd = new OddDescriptors();
        using VfioUserClient client = served.Negotiated();
        HostileCase[] refusals = [.. HostileCases.Refusals.Where(c => c.Before.Length == 0)];
        foreach (HostileCase c in refusals)
        {
            client.SendRaw(c.Bytes, HostileClient.Descriptors(client, odd, c.Descriptors));
            ServedDevice.AssertRefused(client, HostileCase.MessageId, c.Command, c.Errno);
        }

        Assert.Equal(refusals.Length, served.Server.Counters.Refusals);
        Assert.Equal(0, served.Device.IrqCalls.Count + served.Device.Resets + served.Device.Iommu.MapCount);
        Assert.All(served.Device.Memory, m => Assert.True(m.AsSpan().IndexOfAnyExcept((byte)0) < 0));
        Assert.InRange(served.Log.Lines.Count, 1, 20);
    }

    [Fact]
    public void Refusals_that_want_no_reply_get_none()
    {
        using var served = new ServedDevice();
        using var odd = new OddDescriptors();
        using VfioUserClient client = served.Negotiated();
        HostileCase[] refusals = [.. HostileCases.Refusals.Where(c => c.Before.Length == 0)];
        foreach (HostileCase c in refusals)
        {
            byte[] posted = [.. c.Bytes];
            posted[8] |= (byte)VfioUserFlags.VFIO_USER_NO_REPLY;
            client.SendRaw(posted, HostileClient.Descriptors(client, odd, c.Descriptors));
        }

        Assert.Equal(9u, client.GetDeviceInfo().RegionCount);
        Assert.Equal(refusals.Length, served.Server.Counters.Refusals);
    }

    /// <summary>One server for all cases.</summary>
    public sealed class Target : IDisposable
    {
        internal ServedDevice Served { get; } = new();

        internal OddDescriptors Odd { get; } = new();

        public void Dispose()
        {
            Served.Dispose();
            Odd.Dispose();
        }
    }
}
