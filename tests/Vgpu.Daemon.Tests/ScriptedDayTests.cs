using System.Text.Json;
using Vgpu.Api;
using Vgpu.Bus;
using Vgpu.Testing;

namespace Vgpu.Daemon.Tests;

/// <summary>An operator's day, once with a stock mdevctl on the tree and once with <c>vgpu</c>: the same comes of both.</summary>
public sealed class ScriptedDayTests : IDisposable
{
    private const string Small = "bochs-display-4m";
    private const string Large = "virtio-gpu-64m";

    private readonly RunningDaemon _daemon = new RunningDaemon().Start();

    public void Dispose() => _daemon.Dispose();

    [Fact]
    public void Both_hands_do_the_same_day()
    {
        using var other = new RunningDaemon();
        other.Start();

        List<string> byMdevctl = Day(new MdevctlHand(_daemon), _daemon);
        List<string> byVgpu = Day(new VgpuHand(other), other);

        Assert.Equal(byVgpu, byMdevctl);
        _daemon.AssertNothingLeft();
        other.AssertNothingLeft();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_one_defines_the_other_sees_starts_and_stops(bool mdevctlFirst)
    {
        IHand mdevctl = new MdevctlHand(_daemon);
        IHand vgpu = new VgpuHand(_daemon);
        (IHand one, IHand another) = mdevctlFirst ? (mdevctl, vgpu) : (vgpu, mdevctl);
        var uuid = Guid.NewGuid();

        one.Define(uuid, Large);
        Assert.Contains(uuid, another.Defined());
        one.Set(uuid, "memory_limit", "33554432");
        another.Start(uuid);
        Assert.Contains(uuid, one.Active());
        Assert.Equal((InstanceState.Running, 33554432UL), (Find(uuid).State, Find(uuid).MemoryLimit));
        using (var client = new RemoteDevice(Find(uuid).Paths!.Socket))
        {
            Assert.Equal(0x1050_1af4u, client.Client.RegionRead<uint>(7, 0));
        }

        one.Stop(uuid);
        Assert.DoesNotContain(uuid, another.Active());
        Assert.Contains(uuid, another.Defined());
        another.Remove(uuid);
        Assert.Empty(one.Defined());
        _daemon.AssertNothingLeft();
    }

    // What the API lists after each step.
    private static List<string> Day(IHand hand, RunningDaemon daemon)
    {
        List<string> log = [];
        var desk = Guid.NewGuid();
        var guest = Guid.NewGuid();
        var all = Guid.NewGuid();

        log.AddRange(hand.Types().Order(StringComparer.Ordinal));
        Step("define", () => hand.Define(desk, Large));
        Step("set", () =>
        {
            hand.Set(desk, "memory_limit", "33554432");
            hand.Set(desk, "mode", "1280x720");
            hand.Set(desk, "name", "desk");
        });
        Step("auto", () => hand.Auto(desk));
        Step("start", () => hand.Start(desk));
        Step("transient", () => hand.StartTransient(guest, Small));
        Assert.Equal([desk, guest], hand.Active().Order().OrderBy(uuid => uuid == guest));
        Assert.Equal([desk], hand.Defined());
        Step("stop transient", () => hand.Stop(guest));
        Step("stop", () => hand.Stop(desk));

        // One that takes all memory there is.
        Step("define", () => hand.Define(all, Large));
        using (ApiClient client = daemon.Client())
        {
            string total = client.Parents().Single().Budgets["memory"].Total.ToString(System.Globalization.CultureInfo.InvariantCulture);
            Step("set", () => hand.Set(all, "memory_limit", total));
        }

        Step("start", () => hand.Start(all));
        log.AddRange(hand.Types().Order(StringComparer.Ordinal));
        Assert.All(hand.Types(), type => Assert.EndsWith(" 0", type, StringComparison.Ordinal));
        Step("exhaustion", () => hand.AssertExhausted(guest, Small));
        Step("exhaustion", () => hand.AssertExhausted(desk, null));
        Step("remove", () =>
        {
            hand.Stop(all);
            hand.Remove(all);
        });
        Step("start", () => hand.Start(desk));
        Step("remove", () =>
        {
            hand.Stop(desk);
            hand.Remove(desk);
        });
        return log;

        void Step(string name, Action step)
        {
            step();
            using ApiClient client = daemon.Client();
            IReadOnlyList<Api.Instance> instances = client.Instances();
            Budgets.AssertAre(client.Parents().Single(), instances);
            log.Add($"{name}: {string.Join("; ", instances.Select(Comparable).Order(StringComparer.Ordinal))}");
        }
    }

    // All but what no two can have in common.
    private static string Comparable(Api.Instance instance) => JsonSerializer.Serialize(
        instance with { Name = instance.Name == "desk" ? "desk" : string.Empty, Uuid = Guid.Empty, Paths = null, Worker = null },
        ApiJson.Instance);

    private Api.Instance Find(Guid uuid)
    {
        using ApiClient client = _daemon.Client();
        return client.Find(uuid.ToString());
    }
}
