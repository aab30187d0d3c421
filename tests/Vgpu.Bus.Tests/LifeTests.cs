namespace Vgpu.Bus.Tests;

/// <summary>Create, start, stop, change and remove as an operator sees them.</summary>
public sealed class LifeTests
{
    [Fact]
    public void A_life_in_events()
    {
        using var rig = new Rig();
        List<long> heard = [];
        rig.Bus.Happened += happened => heard.Add(happened.Number);
        Guid uuid = rig.Create("desk").Definition.Uuid;
        rig.Workers.Attach(uuid, 42);
        rig.Workers.Report(uuid, WorkerEventKind.ModeSet, "1024x768\non head 0");
        rig.Workers.Report(uuid, WorkerEventKind.Reset, string.Empty);
        rig.Workers.Report(uuid, WorkerEventKind.Fault, "bad ring");
        rig.Workers.Report(uuid, WorkerEventKind.QuotaRefused, "1 GiB");
        rig.Workers.Report(uuid, WorkerEventKind.ClientGone, string.Empty);
        rig.Bus.Set("desk", new Dictionary<string, string?> { ["heads"] = "2" });
        rig.Bus.Upgrade("desk");
        rig.Bus.Stop("desk");
        rig.Bus.Remove("desk", force: false);

        Assert.Equal(["created", "started", "client-attached", "mode-set", "reset", "fault", "quota-refused", "client-gone", "changed", "upgraded", "stopped", "removed"], rig.Kinds());
        Assert.Equal(Enumerable.Range(1, 12).Select(number => (long)number), heard);
        Assert.Equal("1024x768 on head 0", rig.Bus.Events(3)[0].Detail);
        Assert.All(rig.Bus.Events(0), happened => Assert.Equal((uuid, "desk"), (happened.Uuid, happened.Name)));
    }

    [Fact]
    public void The_last_4096_events_are_kept()
    {
        using var rig = new Rig();
        Guid uuid = rig.Create("desk").Definition.Uuid;
        for (int at = 0; at < 5000; at++)
        {
            rig.Workers.Report(uuid, WorkerEventKind.Reset, string.Empty);
        }

        IReadOnlyList<BusEvent> kept = rig.Bus.Events(0);
        Assert.Equal((4096, 5002L), (kept.Count, kept[^1].Number));
        Assert.Equal([5001L, 5002L], rig.Bus.Events(5000).Select(happened => happened.Number));
        Assert.Empty(rig.Bus.Events(5002));
    }

    [Fact]
    public void A_listener_may_use_the_bus_and_may_fail()
    {
        using var rig = new Rig();
        List<InstanceState> seen = [];
        rig.Bus.Happened += happened => seen.Add(rig.Bus.Find(happened.Name!).State);
        rig.Bus.Happened += _ => throw new InvalidOperationException("a listener's own fault");

        rig.Create("desk");

        Assert.Equal([InstanceState.Running, InstanceState.Running], seen);
        Assert.Equal(2, rig.Log.Count("who listens to events failed"));
    }

    [Fact]
    public void An_attached_one_is_removed_by_force_alone()
    {
        using var rig = new Rig();
        Guid uuid = rig.Create("desk").Definition.Uuid;
        rig.Workers.Attach(uuid, 42);

        Assert.Equal("desk is attached to process 42: unplug it there, or remove it by force", rig.Refused(BusError.Busy, () => rig.Bus.Remove("desk", force: false)).Message);
        Assert.Equal(InstanceState.Running, rig.Bus.Find("desk").State);
        rig.Bus.Remove("desk", force: true);

        Assert.Empty(rig.Names());
        Assert.Empty(rig.Workers.Running);
        Assert.False(File.Exists(rig.FileOf(uuid)));
        rig.Refused(BusError.NotFound, () => rig.Bus.Remove("desk", force: true));
    }

    [Fact]
    public void A_worker_that_can_not_be_stopped_keeps_its_instance()
    {
        using var rig = new Rig();
        rig.Create("desk");
        string before = rig.Disk();
        rig.Workers.OnStop = _ => throw new BusException(BusError.Failed, "it does not die");

        rig.Refused(BusError.Failed, () => rig.Bus.Stop("desk"));
        rig.Refused(BusError.Failed, () => rig.Bus.Remove("desk", force: true));

        Assert.Equal(before, rig.Disk());
        Assert.Equal((InstanceState.Running, 16 * Rig.MiB), (rig.Bus.Find("desk").State, rig.Used()));
    }

    [Fact]
    public void A_transient_one_is_gone_with_its_stop_and_leaves_no_file()
    {
        using var rig = new Rig();
        Guid uuid = rig.Create("desk", persistent: false).Definition.Uuid;
        Assert.False(rig.Bus.Find("desk").Definition.Persistent);
        Assert.False(File.Exists(rig.FileOf(uuid)));

        rig.Bus.Stop(uuid.ToString());

        Assert.Empty(rig.Names());
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(rig.Run, "instances")));
        rig.Refused(BusError.Invalid, () => rig.Create(persistent: false, start: false));
        rig.Refused(BusError.Invalid, () => rig.Create(persistent: false, auto: true));
    }

    [Fact]
    public void Names_and_UUIDs_are_unique_and_free_again_afterwards()
    {
        using var rig = new Rig();
        Guid uuid = rig.Create("desk", start: false).Definition.Uuid;
        rig.Refused(BusError.Exists, () => rig.Create("desk"));
        rig.Refused(BusError.Exists, () => rig.Create("other", uuid: uuid));
        rig.Create();
        rig.Refused(BusError.Exists, () => rig.Bus.Set("small-1", new Dictionary<string, string?> { ["name"] = "desk" }));
        rig.Bus.Set("desk", new Dictionary<string, string?> { ["name"] = "table" });
        rig.Bus.Set("small-1", new Dictionary<string, string?> { ["name"] = "desk" });

        Assert.Equal(["desk", "table"], rig.Names());
        Assert.Equal("small-1", rig.Create().Definition.Name);
        rig.Bus.Remove("table", force: false);
        rig.Create("table", uuid: uuid);
        Assert.Equal(["desk", "small-1", "table"], rig.Again().Instances().Select(view => view.Definition.Name));
    }

    [Fact]
    public void Start_and_stop_twice_do_no_more_than_once()
    {
        using var rig = new Rig();
        rig.Create("desk");
        rig.Bus.Start("desk");
        rig.Bus.Stop("desk");
        rig.Bus.Stop("desk");

        Assert.Equal(["start desk", "stop"], rig.Workers.Calls);
        rig.Refused(BusError.Busy, () => rig.Bus.Upgrade("desk"));
    }

    [Fact]
    public void What_is_set_already_is_no_change()
    {
        using var rig = new Rig();
        rig.Create("desk", settings: ("memory_limit", "32m"));
        string before = rig.Disk();

        rig.Bus.Set("desk", new Dictionary<string, string?> { ["name"] = "desk\n", ["memory_limit"] = "33554432\n", ["heads"] = "1", ["owner"] = null, ["auto"] = "off", ["after"] = "" });

        Assert.Equal(["created", "started"], rig.Kinds());
        Assert.Equal(["start desk"], rig.Workers.Calls);
        Assert.Equal(before, rig.Disk());

        // Nor does the worker hear of what is the daemon's alone.
        rig.Bus.Set("desk", new Dictionary<string, string?> { ["auto"] = "on", ["after"] = "a,b" });
        Assert.Equal(["start desk"], rig.Workers.Calls);
        Assert.True(rig.Bus.Find("desk").Definition.Auto);
        rig.Bus.Set("desk", new Dictionary<string, string?> { ["owner"] = "0:0" });
        Assert.Equal(new InstanceOwner(0, 0), rig.Workers.Running[0].Owner);
    }

    [Fact]
    public async Task Different_instances_start_at_the_same_time_and_one_s_operations_wait_for_each_other()
    {
        using var rig = new Rig();
        using var both = new Barrier(2);
        rig.Workers.OnStart = _ => Assert.True(both.SignalAndWait(TimeSpan.FromSeconds(60)));
        await Task.WhenAll(Task.Run(() => rig.Create("a")), Task.Run(() => rig.Create("b", persistent: false)));

        using var within = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        rig.Workers.OnStart = _ =>
        {
            within.Set();
            Assert.True(go.Wait(TimeSpan.FromSeconds(60)));
        };
        rig.Bus.Stop("a");
        Task start = Task.Run(() => rig.Bus.Start("a"));
        Assert.True(within.Wait(TimeSpan.FromSeconds(60)));
        Assert.Equal(InstanceState.Starting, rig.Bus.Find("a").State);
        Task stop = Task.Run(() => rig.Bus.Stop("a"));
        go.Set();
        await Task.WhenAll(start, stop);

        // Whichever came first, it is one of the two states, wholly.
        InstanceState state = rig.Bus.Find("a").State;
        Assert.Equal(state == InstanceState.Running, rig.Workers.Running.Any(worker => worker.Name == "a"));
        Assert.Equal((state == InstanceState.Running ? 32UL : 16UL) * Rig.MiB, rig.Used());
    }

    [Fact]
    public async Task Hundreds_of_creates_and_removes_on_many_threads_never_miscount()
    {
        using var rig = new Rig(memory: 20 * 16 * Rig.MiB, instances: 17);
        int made = 0;
        using var round = new Barrier(8);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Factory.StartNew(Rounds, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        // 24 want 17 places in each round.
        Assert.Equal(40 * 17, made);
        Assert.Equal(0UL, rig.Used());
        Assert.Empty(rig.Names());
        Assert.Empty(rig.Workers.Running);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(rig.Definitions, "gpu0")));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(rig.Run, "instances")));
        Assert.False(Directory.Exists(rig.SetAside));

        void Rounds()
        {
            for (int at = 0; at < 40; at++)
            {
                List<string> mine = [];
                for (int one = 0; one < 3; one++)
                {
                    try
                    {
                        mine.Add(rig.Create(persistent: one != 1).Definition.Name);
                        Interlocked.Increment(ref made);
                    }
                    catch (BusException refusal) when (refusal.Error == BusError.Exhausted)
                    {
                        // Another was faster.
                    }

                    AssertExact();
                }

                Meet();
                Assert.Equal((17UL, 0), (rig.Used("instances"), rig.Available("small")));
                Assert.Equal(17, rig.Workers.Running.Count);
                Meet();
                foreach (string name in mine)
                {
                    rig.Bus.Remove(name, force: true);
                    AssertExact();
                }

                Meet();
            }
        }

        void AssertExact()
        {
            ParentView parent = rig.Bus.Parents()[0];
            Assert.InRange(parent.Budgets["instances"].Used, 0UL, 17UL);
            Assert.Equal(parent.Budgets["instances"].Used * 16 * Rig.MiB, parent.Budgets["memory"].Used);
            Assert.Equal(17 - (int)parent.Budgets["instances"].Used, parent.Types.Single(type => type.Name == "small").AvailableInstances);
        }

        void Meet() => Assert.True(round.SignalAndWait(TimeSpan.FromSeconds(60)), "another thread failed");
    }
}
