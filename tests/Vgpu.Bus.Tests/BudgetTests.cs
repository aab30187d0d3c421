namespace Vgpu.Bus.Tests;

/// <summary>What is left is exact after each step, and what is refused leaves nothing behind.</summary>
public sealed class BudgetTests
{
    [Fact]
    public void Available_instances_is_the_least_that_any_budget_leaves()
    {
        using var rig = new Rig(memory: 512 * Rig.MiB, instances: 4);
        Assert.Equal((4, 2), (rig.Available("small"), rig.Available("large")));

        InstanceView one = rig.Create(type: "large");
        Assert.Equal((3, 1), (rig.Available("small"), rig.Available("large")));
        rig.Create();
        Assert.Equal((2, 0), (rig.Available("small"), rig.Available("large")));
        Assert.Equal(272 * Rig.MiB, rig.Used());

        rig.Bus.Remove(one.Definition.Name, force: false);
        Assert.Equal((3, 1), (rig.Available("small"), rig.Available("large")));
    }

    [Fact]
    public void A_definition_alone_takes_nothing()
    {
        using var rig = new Rig(memory: 16 * Rig.MiB);
        InstanceView first = rig.Create("a", start: false);
        rig.Create("b", start: false);
        Assert.Equal(1, rig.Available("small"));

        rig.Bus.Start("a");
        Assert.Equal(0, rig.Available("small"));
        rig.Refused(BusError.Exhausted, () => rig.Bus.Start("b"));
        Assert.Equal(InstanceState.Stopped, rig.Bus.Find("b").State);

        rig.Bus.Stop("a");
        Assert.Equal(InstanceState.Running, rig.Bus.Start("b").State);
        Assert.Null(rig.Bus.Find(first.Definition.Uuid.ToString()).Paths);
    }

    [Fact]
    public void Past_a_budget_nothing_is_made_and_the_message_says_which_and_what_mends_it()
    {
        using var rig = new Rig(memory: 20 * Rig.MiB);
        rig.Create();
        string before = rig.Disk();

        BusException refusal = rig.Refused(BusError.Exhausted, () => rig.Create("second"));

        Assert.Equal("gpu0's budget 'memory' is used up: 4194304 of 20971520 bytes of video memory are free and 16777216 are needed: "
            + "stop an instance, lower a memory_limit, or give the parent more", refusal.Message);
        Assert.Equal(before, rig.Disk());
        Assert.Equal(["small-1"], rig.Names());
        Assert.Single(rig.Workers.Running);
        Assert.Equal(16 * Rig.MiB, rig.Used());
    }

    [Fact]
    public void Instances_and_heads_are_budgets_too()
    {
        using var rig = new Rig(memory: 100_000 * Rig.MiB, instances: 9);
        for (int at = 0; at < 8; at++)
        {
            rig.Create(type: "large", settings: ("heads", "16"));
        }

        Assert.Contains("budget 'heads'", rig.Refused(BusError.Exhausted, () => rig.Create()).Message, StringComparison.Ordinal);
        rig.Bus.Set("large-1", new Dictionary<string, string?> { ["heads"] = "15" });
        rig.Create();
        Assert.Contains("all 9 instances run", rig.Refused(BusError.Exhausted, () => rig.Create()).Message, StringComparison.Ordinal);
        Assert.Equal((9UL, 128UL), (rig.Used("instances"), rig.Used("heads")));
    }

    [Fact]
    public void A_worker_that_does_not_come_up_leaves_no_file_and_no_charge()
    {
        using var rig = new Rig();
        rig.Create("first");
        string before = rig.Disk();
        rig.Workers.OnStart = _ => throw new BusException(BusError.Failed, "no descriptors left: raise LimitNOFILE");

        Assert.Equal("no descriptors left: raise LimitNOFILE", rig.Refused(BusError.Failed, () => rig.Create("second")).Message);
        rig.Workers.OnStart = _ => throw new InvalidOperationException("a\nbug");
        rig.Refused(BusError.Failed, () => rig.Create("second", persistent: false));

        Assert.Equal(before, rig.Disk());
        Assert.Equal(["first"], rig.Names());
        Assert.Equal(16 * Rig.MiB, rig.Used());
        Assert.DoesNotContain(rig.Bus.Events(0), happened => happened.Name == "second");
        rig.Workers.OnStart = _ => { };
        rig.Create("second");
    }

    [Fact]
    public void A_running_one_takes_more_memory_and_gives_it_back()
    {
        using var rig = new Rig(memory: 64 * Rig.MiB);
        rig.Create("desk");
        rig.Create("other");
        var more = new Dictionary<string, string?> { ["memory_limit"] = "48m" };

        Assert.Equal(48 * Rig.MiB, rig.Bus.Set("desk", more).MemoryLimit);
        Assert.Equal(0, rig.Available("small"));
        rig.Refused(BusError.Exhausted, () => rig.Bus.Set("desk", new Dictionary<string, string?> { ["memory_limit"] = "49M" }));
        Assert.Equal("50331648", rig.Workers.Running.Single(worker => worker.Name == "desk").Settings["memory_limit"]);
        Assert.Equal(48 * Rig.MiB, rig.Bus.Find("desk").MemoryLimit);

        rig.Bus.Set("desk", new Dictionary<string, string?> { ["memory_limit"] = null });
        Assert.Equal(32 * Rig.MiB, rig.Used());

        // A definition that does not run may ask for more than there is.
        rig.Bus.Stop("desk");
        rig.Bus.Set("desk", new Dictionary<string, string?> { ["memory_limit"] = "1g" });
        rig.Refused(BusError.Exhausted, () => rig.Bus.Start("desk"));
        Assert.Equal(16 * Rig.MiB, rig.Used());
    }

    [Fact]
    public void A_change_that_the_worker_refuses_changes_nothing()
    {
        using var rig = new Rig();
        rig.Create("desk");
        string before = rig.Disk();
        rig.Workers.OnConfigure = _ => throw new BusException(BusError.Busy, "a client is attached");

        rig.Refused(BusError.Busy, () => rig.Bus.Set("desk", new Dictionary<string, string?> { ["memory_limit"] = "64m", ["name"] = "table" }));

        Assert.Equal(before, rig.Disk());
        Assert.Equal(["desk"], rig.Names());
        Assert.Equal(16 * Rig.MiB, rig.Used());
        rig.Create("table");
    }

    [Fact]
    public void A_worker_that_ends_for_good_gives_its_budget_back()
    {
        using var rig = new Rig();
        InstanceView kept = rig.Create("kept");
        InstanceView transient = rig.Create("transient", persistent: false);

        rig.Workers.Fail(kept.Definition.Uuid, "died five times");
        rig.Workers.Fail(transient.Definition.Uuid, "died too");

        Assert.Equal(0UL, rig.Used());
        InstanceView failed = rig.Bus.Find("kept");
        Assert.Equal((InstanceState.Failed, "died five times"), (failed.State, failed.Problem));
        Assert.Equal(InstanceState.Failed, rig.Bus.Find("transient").State);

        Assert.Equal(InstanceState.Running, rig.Bus.Start("kept").State);
        rig.Bus.Stop("transient");
        Assert.Equal(["kept"], rig.Names());
        Assert.Equal(16 * Rig.MiB, rig.Used());
    }

    [Fact]
    public void A_worker_that_ends_while_it_is_started_was_never_there()
    {
        using var rig = new Rig();
        rig.Workers.OnStart = definition => rig.Workers.Report(definition.Uuid, WorkerEventKind.Failed, "killed");

        BusException refusal = rig.Refused(BusError.Failed, () => rig.Create("desk"));

        Assert.Equal("desk ended as it was started: killed", refusal.Message);
        Assert.Empty(rig.Names());
        Assert.Empty(rig.Workers.Running);
        Assert.Equal(0UL, rig.Used());
    }
}
