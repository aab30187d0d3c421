using System.Diagnostics;
using Vgpu.Api;
using Vgpu.Bus;
using Vgpu.Testing;

namespace Vgpu.Daemon.Tests;

/// <summary>
/// Daemon and workers killed and stopped at random moments, while VMs draw and operators make and remove instances. The
/// house's rule: one of the two may die, never both before the other has taken over.
/// </summary>
public sealed class KillCampaignTests
{
    private const int Vms = 3;
    private const int Operators = 2;

    [Theory]
    [InlineData(1)]
    public void Twenty_kills_touch_no_client_and_lose_no_instance(int seed) => Campaign(seed, 20);

    [Theory]
    [Trait("Length", "long")]
    [InlineData(2)]
    public void Five_hundred_kills_touch_no_client_and_lose_no_instance(int seed) => Campaign(seed, 500);

    private static void Campaign(int seed, int kills)
    {
        using var daemon = new RunningDaemon();
        daemon.Start();
        List<DrawingVm> vms = [];
        List<Churn> operators = [];
        try
        {
            Guid[] desks = [.. Enumerable.Range(0, Vms).Select(i => Desk(daemon, i, vms))];
            operators.AddRange(Enumerable.Range(0, Operators).Select(i => new Churn(daemon, (seed * 100) + i)));
            using var killer = new Killer(daemon, new Random(seed), vms);
            var clock = Stopwatch.StartNew();
            for (int i = 0; i < kills; i++)
            {
                killer.Next();
            }

            operators.ForEach(one => one.End());
            vms.ForEach(vm => vm.AwaitPicture());
            TestContext.Current.TestOutputHelper!.WriteLine(
                $"seed {seed}: {killer} in {clock.Elapsed.TotalSeconds:0} s; {vms.Sum(vm => vm.Pictures)} pictures, {operators.Sum(one => one.Turns)} instances made and removed");

            AssertExact(daemon, desks, [.. desks, .. operators.SelectMany(one => one.Mine)]);
            vms.ForEach(vm => vm.End());
        }
        finally
        {
            operators.ForEach(one => one.Dispose());
            vms.ForEach(vm => vm.Dispose());
        }

        using (ApiClient client = daemon.Client())
        {
            foreach (Api.Instance instance in client.Instances())
            {
                client.Remove($"{instance.Uuid}", force: true);
            }

            Budgets.AssertAre(client.Parents().Single(), client.Instances());
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(daemon.Definitions));
        Assert.False(Directory.Exists(daemon.SetAside));
        daemon.AssertNothingLeft();
    }

    private static Guid Desk(RunningDaemon daemon, int number, List<DrawingVm> vms)
    {
        using ApiClient client = daemon.Client();
        Api.Instance made = client.Create(new CreateBody { Parent = "software0", Type = "virtio-gpu-64m", Name = $"desk-{number}", Persistent = number > 0 });
        vms.Add(new DrawingVm(made.Name, made.Paths!.Socket));
        return made.Uuid;
    }

    // None lost, none twice, each with one worker that serves, and nothing beside them.
    private static void AssertExact(RunningDaemon daemon, Guid[] desks, List<Guid> expected)
    {
        using ApiClient client = daemon.Client();
        Workplace.Eventually(() => client.Instances().All(instance => instance is { State: InstanceState.Running, Worker: not null }), "an instance does not run");
        IReadOnlyList<Api.Instance> all = client.Instances();
        Assert.Equal(expected.Order(), all.Select(instance => instance.Uuid).Order());
        Assert.Equal(all.Count, all.Select(instance => instance.Worker!.Pid).Distinct().Count());
        Assert.All(desks, desk => Assert.Equal(Environment.ProcessId, all.Single(instance => instance.Uuid == desk).Worker!.ClientPid));
        Budgets.AssertAre(client.Parents().Single(), all);
        Assert.Equal(
            expected.Select(uuid => $"{uuid}").Order(StringComparer.Ordinal),
            Directory.EnumerateDirectories(Path.Combine(daemon.Run, "instances")).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
        foreach (Api.Instance instance in all.Where(instance => !desks.Contains(instance.Uuid)))
        {
            using var remote = new RemoteDevice(instance.Paths!.Socket);
            Assert.Equal(0x1111_1234u, remote.Client.RegionRead<uint>(7, 0));
        }
    }
}
