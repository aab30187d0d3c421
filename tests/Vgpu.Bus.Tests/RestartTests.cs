namespace Vgpu.Bus.Tests;

/// <summary>What a daemon finds that comes after another, or after a reboot.</summary>
public sealed class RestartTests
{
    [Fact]
    public void What_ran_runs_on_as_it_was_started_and_transient_ones_too()
    {
        using var rig = new Rig();
        Guid kept = rig.Create("kept", settings: [("memory_limit", "32m"), ("mode", "1920x1080")]).Definition.Uuid;
        rig.Create("transient", persistent: false);
        rig.Create("idle", start: false);

        VgpuBus bus = rig.Again();

        Assert.Equal(["start kept", "start transient"], rig.Workers.Calls);
        Assert.Equal(
            [("idle", InstanceState.Stopped, true), ("kept", InstanceState.Running, true), ("transient", InstanceState.Running, false)],
            bus.Instances().Select(view => (view.Definition.Name, view.State, view.Definition.Persistent)));
        Assert.Equal("1920x1080", bus.Find(kept.ToString()).Settings["mode"]);
        Assert.Equal(48 * Rig.MiB, rig.Used());
        bus.Stop("transient");
        Assert.Equal(["idle", "kept"], rig.Names());
    }

    [Fact]
    public void One_whose_worker_died_with_the_daemon_is_started_again()
    {
        using var rig = new Rig();
        Guid uuid = rig.Create("transient", persistent: false).Definition.Uuid;
        rig.Workers.Lose(uuid);

        VgpuBus bus = rig.Again(start: false);
        Assert.Equal((InstanceState.Starting, 16 * Rig.MiB), (bus.Find("transient").State, rig.Used()));
        Assert.False(bus.Ready.IsCompleted);
        bus.StartAuto();

        Assert.True(bus.Ready.IsCompletedSuccessfully);
        Assert.Equal((InstanceState.Running, 16 * Rig.MiB), (bus.Find("transient").State, rig.Used()));
    }

    [Fact]
    public void After_a_reboot_only_those_marked_so_start()
    {
        using var rig = new Rig();
        rig.Create("auto", auto: true);
        rig.Create("manual");
        rig.Create("transient", persistent: false);
        foreach (InstanceDefinition worker in rig.Workers.Running)
        {
            rig.Workers.Lose(worker.Uuid);
        }

        Directory.Delete(rig.Run, recursive: true);
        VgpuBus bus = rig.Again();

        Assert.Equal([("auto", InstanceState.Running), ("manual", InstanceState.Stopped)], bus.Instances().Select(view => (view.Definition.Name, view.State)));
        Assert.Equal(16 * Rig.MiB, rig.Used());
    }

    [Fact]
    public void A_stopped_one_stays_stopped_and_a_worker_that_nobody_expects_is_ended()
    {
        using var rig = new Rig();
        rig.Create("desk");
        Guid stray = rig.Create("stray", persistent: false).Definition.Uuid;
        rig.Bus.Stop("desk");
        File.Delete(Path.Combine(rig.Run, "instances", stray + ".json"));

        Assert.Equal(InstanceState.Stopped, rig.Again().Find("desk").State);
        Assert.Empty(rig.Workers.Running);
    }

    [Fact]
    public void They_start_in_the_order_that_they_ask_for()
    {
        using var rig = new Rig();
        Guid last = rig.Create("a-last", start: false, auto: true, after: "b-middle,c-first").Definition.Uuid;
        rig.Create("b-middle", start: false, auto: true, after: "c-first,manual");
        rig.Create("c-first", start: false, auto: true);
        rig.Create("manual", start: false);
        rig.Create("d-very-last", start: false, auto: true, after: last.ToString());

        rig.Again();

        Assert.Equal(["start c-first", "start b-middle", "start a-last", "start d-very-last"], rig.Workers.Calls);
        Assert.DoesNotContain("fault", rig.Kinds());
    }

    [Fact]
    public void A_ring_and_an_unknown_name_are_told_of_and_started_all_the_same()
    {
        using var rig = new Rig();
        rig.Create("a", start: false, auto: true, after: "b");
        rig.Create("b", start: false, auto: true, after: "a");
        rig.Create("c", start: false, auto: true, after: "nobody");

        VgpuBus bus = rig.Again();

        Assert.All(bus.Instances(), view => Assert.Equal(InstanceState.Running, view.State));
        Assert.Equal(
            ["c is to start after 'nobody', which there is not: it is started all the same; set its 'after' right",
                "a, b wait for each other in 'after': they are started all the same; take one out"],
            bus.Events(0).Where(happened => happened.Kind == "fault").Select(happened => happened.Detail));
    }

    [Fact]
    public void One_that_can_not_start_stops_no_other()
    {
        using var rig = new Rig();
        rig.Create("a", start: false, auto: true);
        rig.Create("b", start: false, auto: true, after: "a");
        rig.Create("huge", start: false, auto: true, settings: ("memory_limit", "100g"));
        rig.Workers.OnStart = definition =>
        {
            if (definition.Name == "a")
            {
                throw new BusException(BusError.Failed, "no descriptors left");
            }
        };

        VgpuBus bus = rig.Again();

        Assert.Equal(
            [("a", InstanceState.Failed, "no descriptors left"), ("b", InstanceState.Running, null)],
            bus.Instances().Take(2).Select(view => (view.Definition.Name, view.State, view.Problem)));
        Assert.Equal(InstanceState.Failed, bus.Find("huge").State);
        Assert.Contains("budget 'memory'", bus.Find("huge").Problem, StringComparison.Ordinal);
        Assert.Equal(2, rig.Kinds().Count(kind => kind == "failed"));
        Assert.Equal(16 * Rig.MiB, rig.Used());
    }

    [Fact]
    public void A_budget_made_smaller_than_what_runs_leaves_it_running()
    {
        using var rig = new Rig();
        rig.Create("a");
        rig.Create("b");
        rig.Memory = 20 * Rig.MiB;

        VgpuBus bus = rig.Again();

        Assert.All(bus.Instances(), view => Assert.Equal(InstanceState.Running, view.State));
        Assert.Equal((32 * Rig.MiB, 0), (rig.Used(), rig.Available("small")));
        rig.Refused(BusError.Exhausted, () => rig.Create());
        bus.Set("a", new Dictionary<string, string?> { ["memory_limit"] = "2m" });
        Assert.Equal(18 * Rig.MiB, rig.Used());
    }

    [Fact]
    public void A_daemon_that_dies_in_the_middle_leaves_all_of_it_or_nothing()
    {
        using var rig = new Rig();
        List<string> found = [];
        rig.Workers.OnStart = _ => found.Add("create: " + AsTheNextFindsIt(rig));
        rig.Create("desk");
        rig.Workers.OnConfigure = _ => found.Add("set: " + AsTheNextFindsIt(rig));
        rig.Bus.Set("desk", new Dictionary<string, string?> { ["heads"] = "2" });
        rig.Workers.OnStop = _ => found.Add("stop: " + AsTheNextFindsIt(rig));
        rig.Bus.Stop("desk");
        rig.Workers.OnStart = _ => found.Add("start: " + AsTheNextFindsIt(rig));
        rig.Bus.Start("desk");
        rig.Workers.OnStop = _ => found.Add("remove: " + AsTheNextFindsIt(rig));
        rig.Bus.Remove("desk", force: false);

        Assert.Equal(
            ["create: desk Running heads 1", "set: desk Running heads 1", "stop: desk Stopped heads 2", "start: desk Running heads 2", "remove: "],
            found);
    }

    // The folders as a daemon that dies now leaves them, and no worker.
    private static string AsTheNextFindsIt(Rig rig)
    {
        using var next = new Rig();
        foreach ((string from, string to) in new[] { (rig.State, next.State), (rig.Run, next.Run) })
        {
            foreach (string path in Directory.EnumerateFiles(from, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }).Where(path => !path.EndsWith("bus.lock", StringComparison.Ordinal)))
            {
                string copy = Path.Combine(to, Path.GetRelativePath(from, path));
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(path, copy);
            }
        }

        return string.Join(", ", next.Again().Instances().Select(view => $"{view.Definition.Name} {view.State} heads {view.Settings["heads"]}"));
    }

    [Fact]
    public void A_second_daemon_on_the_same_folders_is_refused_and_harms_nothing()
    {
        using var rig = new Rig();
        rig.Create("desk");
        var options = new BusOptions { StateFolder = rig.State, RunFolder = rig.Run };

        Assert.Equal($"another daemon has {rig.Run}: stop that one, or give this one other folders",
            rig.Refused(BusError.Failed, () => VgpuBus.Open(options, [], new FakeWorkers(), rig.Log)).Message);

        rig.Create("second");
        Assert.Equal(2, rig.Again().Instances().Count(view => view.State == InstanceState.Running));
    }

    [Fact]
    public void A_clock_a_year_off_changes_nothing()
    {
        using var rig = new Rig();
        rig.Create("desk");
        rig.Clock.Wall = rig.Clock.Wall.AddYears(-1);
        rig.Again();
        rig.Clock.Wall = rig.Clock.Wall.AddYears(2);
        rig.Create("second");

        Assert.Equal(["desk", "second"], rig.Again().Instances().Select(view => view.Definition.Name));
        Assert.Equal(["start desk", "start second"], rig.Workers.Calls);
    }
}
