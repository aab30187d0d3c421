using System.Collections.Concurrent;
using Vgpu.Api;
using Vgpu.Bus;
using Vgpu.Testing;

namespace Vgpu.Daemon.Tests;

/// <summary>Many instances of every kind at once, each of which is a device to its client, and nothing left of them.</summary>
public sealed class ManyTests
{
    private const int AtATime = 4;

    // The type, the memory that it is given, and what a client reads of its configuration space first.
    private static readonly (string Type, string Memory, uint Ids)[] s_kinds =
    [
        ("virtio-gpu-64m", "16m", 0x1050_1af4),
        ("bochs-display-4m", "4m", 0x1111_1234),
        ("virtio-gpu-128m", "24m", 0x1050_1af4),
        ("bochs-display", "16m", 0x1111_1234),
        ("virtio-gpu", "8m", 0x1050_1af4),
    ];

    [Fact]
    public void Forty_come_work_and_go() => ComeWorkAndGo(40);

    [Fact]
    [Trait("Length", "long")]
    public void Two_hundred_come_work_and_go() => ComeWorkAndGo(200);

    private static void ComeWorkAndGo(int count)
    {
        using var daemon = new RunningDaemon();
        daemon.Start();
        var sockets = new ConcurrentBag<string>();
        InParallel(count, (client, i) =>
        {
            (string type, string memory, uint ids) = s_kinds[i % s_kinds.Length];
            Api.Instance made = client.Create(new CreateBody
            {
                Parent = "software0",
                Type = type,
                Name = $"vm-{i}",
                Persistent = i % 2 == 0,
                Settings = new Dictionary<string, System.Text.Json.JsonElement> { ["memory_limit"] = ApiJson.ToElement(memory) },
            });
            Assert.Equal(InstanceState.Running, made.State);
            sockets.Add(made.Paths!.Socket);
            using (var remote = new RemoteDevice(made.Paths.Socket))
            {
                Assert.Equal(ids, remote.Client.RegionRead<uint>(7, 0));
            }

            Budgets.AssertAvailable(client.Parents().Single());
        });

        using (ApiClient client = daemon.Client())
        {
            Workplace.Eventually(() => client.Instances().All(instance => instance.Worker is not null), "an instance has no worker");
            IReadOnlyList<Api.Instance> all = client.Instances();
            Assert.Equal(count, all.Count);
            Assert.Equal(count, all.Select(instance => instance.Worker!.Pid).Distinct().Count());
            Assert.Equal(count, sockets.Distinct().Count());
            Budgets.AssertAre(client.Parents().Single(), all);
        }

        InParallel(count, (client, i) =>
        {
            client.Remove($"vm-{i}", force: true);
            Budgets.AssertAvailable(client.Parents().Single());
        });
        using (ApiClient client = daemon.Client())
        {
            Assert.Empty(client.Instances());
            Budgets.AssertAre(client.Parents().Single(), []);
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(daemon.Definitions));
        Assert.DoesNotContain(sockets, Path.Exists);
        daemon.AssertNothingLeft();

        void InParallel(int count, Action<ApiClient, int> step) => Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = AtATime }, i =>
        {
            using ApiClient client = daemon.Client();
            step(client, i);
        });
    }
}
