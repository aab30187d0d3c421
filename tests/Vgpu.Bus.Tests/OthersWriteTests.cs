namespace Vgpu.Bus.Tests;

/// <summary>What others write into the folder of definitions while the daemon runs.</summary>
public sealed class OthersWriteTests
{
    private const string Good = """{"mdev_type":"small","start":"auto","attrs":[]}""";

    [Fact]
    public void A_definition_that_appears_is_there_at_the_next_question()
    {
        using var rig = new Rig();
        Assert.Empty(rig.Names());
        Guid uuid = rig.Write(Good);

        InstanceDefinition definition = Assert.Single(rig.Bus.Instances()).Definition;
        Assert.Equal((uuid, true, $"small-{uuid.ToString("N")[..8]}"), (definition.Uuid, definition.Auto, definition.Name));
        rig.Bus.Start(definition.Name);

        rig.Write("""{"mdev_type":"large","start":"manual","attrs":[{"name":"desk"},{"memory_limit":"1G"}]}""", uuid);
        InstanceView running = rig.Bus.Find(uuid.ToString());
        Assert.Equal((definition.Name, "small", 16 * Rig.MiB), (running.Definition.Name, running.Definition.Type, running.MemoryLimit));

        rig.Bus.Stop("desk");
        Assert.Equal(("desk", "large", 1024 * Rig.MiB), (rig.Bus.Find("desk").Definition.Name, rig.Bus.Find("desk").Definition.Type, rig.Bus.Find("desk").MemoryLimit));
        Assert.Equal(["created", "started", "changed", "stopped"], rig.Kinds());
    }

    [Fact]
    public void A_definition_that_is_taken_away_is_gone_and_what_runs_becomes_transient()
    {
        using var rig = new Rig();
        Guid idle = rig.Create("idle", start: false).Definition.Uuid;
        Guid runs = rig.Create("runs").Definition.Uuid;
        File.Delete(rig.FileOf(idle));
        File.Delete(rig.FileOf(runs));

        InstanceView left = Assert.Single(rig.Bus.Instances());
        Assert.Equal(("runs", false, InstanceState.Running), (left.Definition.Name, left.Definition.Persistent, left.State));
        rig.Refused(BusError.NotFound, () => rig.Bus.Start("idle"));

        rig.Write(Good, runs);
        Assert.True(rig.Bus.Find("runs").Definition.Persistent);
        File.Delete(rig.FileOf(runs));
        rig.Bus.Stop("runs");
        Assert.Empty(rig.Names());
    }

    [Fact]
    public void A_parent_s_folder_that_appears_is_watched_too_and_a_definition_may_move_there()
    {
        using var rig = new Rig();
        Assert.Empty(rig.Names());
        Guid uuid = rig.Write(Good, parent: "gpu1");
        Assert.Equal("gpu1", Assert.Single(rig.Bus.Instances()).Definition.Parent);

        File.Move(rig.FileOf(uuid, "gpu1"), rig.FileOf(uuid));
        InstanceView moved = Assert.Single(rig.Bus.Instances());
        Assert.Equal(("gpu0", InstanceState.Stopped), (moved.Definition.Parent, moved.State));

        rig.Write(Good, parent: "gpu1");
        Assert.Equal(2, rig.Bus.Instances().Count);
    }

    [Fact]
    public void A_file_in_the_middle_of_its_writing_is_waited_for()
    {
        using var rig = new Rig();
        Guid desk = rig.Create("desk", start: false).Definition.Uuid;
        using (var file = new FileStream(rig.FileOf(desk), FileMode.Truncate, FileAccess.Write, FileShare.ReadWrite))
        {
            // mdevctl modify, between its truncation and its write.
            Assert.Equal(["desk"], rig.Names());
            rig.Clock.Pass(TimeSpan.FromSeconds(1));
            file.Write("""{"mdev_type":"small","start":"auto","attrs":[{"na"""u8);
            file.Flush();
            Assert.Equal(["desk"], rig.Names());
            rig.Clock.Pass(TimeSpan.FromSeconds(1.5));
            Assert.Equal(["desk"], rig.Names());
            file.Write("""me":"desk"}]}"""u8);
        }

        Assert.True(rig.Bus.Find("desk").Definition.Auto);
        rig.Clock.Pass(TimeSpan.FromSeconds(10));
        Assert.Equal(["desk"], rig.Names());
        Assert.DoesNotContain("set-aside", rig.Kinds());

        // One that stays so is none.
        rig.Write("{", desk);
        Assert.Equal(["desk"], rig.Names());
        rig.Clock.Pass(TimeSpan.FromSeconds(2.5));
        Assert.Empty(rig.Names());
        Assert.Equal("{", File.ReadAllText(Path.Combine(rig.SetAside, $"gpu0-{desk}")));
    }

    [Fact]
    public void A_name_that_is_taken_is_refused_to_the_file_and_the_other_keeps_it()
    {
        using var rig = new Rig();
        Guid first = rig.Create("desk").Definition.Uuid;
        Guid second = rig.Write("""{"mdev_type":"small","start":"auto","attrs":[{"name":"desk"}]}""");

        Assert.Equal(first, Assert.Single(rig.Bus.Instances()).Definition.Uuid);
        Assert.Contains("the name 'desk' is " + first, File.ReadAllText(Path.Combine(rig.SetAside, $"gpu0-{second}.reason")), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_written_while_its_instance_is_busy_is_seen_afterwards()
    {
        using var rig = new Rig();
        Guid uuid = rig.Create("desk", start: false).Definition.Uuid;
        rig.Workers.OnStart = _ =>
        {
            rig.Write("""{"mdev_type":"small","start":"auto","attrs":[{"name":"desk"}]}""", uuid);
            Task.Run(() => Assert.False(rig.Bus.Find("desk").Definition.Auto)).Wait();
        };
        rig.Bus.Start("desk");
        rig.Bus.Stop("desk");

        Assert.True(rig.Bus.Find("desk").Definition.Auto);
    }

    [Fact]
    public void Another_writing_that_begins_alike_is_waited_for_anew()
    {
        using var rig = new Rig();
        Guid desk = rig.Create("desk", start: false).Definition.Uuid;
        for (int second = 0; second < 4; second++)
        {
            // Whole in between, while nobody looked.
            rig.Write(string.Empty, desk);
            File.SetLastWriteTimeUtc(rig.FileOf(desk), DateTime.UnixEpoch.AddSeconds(second));
            Assert.Equal(["desk"], rig.Names());
            rig.Clock.Pass(TimeSpan.FromSeconds(1.5));
        }

        rig.Clock.Pass(TimeSpan.FromSeconds(1));
        Assert.Empty(rig.Names());
    }

    [Fact]
    public async Task Others_may_write_while_many_threads_use_the_bus()
    {
        using var rig = new Rig(instances: 1000);
        Guid[] theirs = [.. Enumerable.Range(0, 8).Select(_ => Guid.NewGuid())];
        Task writer = Task.Run(() =>
        {
            for (int round = 0; round < 150; round++)
            {
                Guid uuid = theirs[round % theirs.Length];
                if (round % 3 == 2)
                {
                    File.Delete(rig.FileOf(uuid));
                }
                else
                {
                    rig.Write(Good, uuid);
                }
            }
        });
        await Task.WhenAll([writer, .. Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            for (int round = 0; round < 60; round++)
            {
                string mine = rig.Create($"mine-{thread}", persistent: round % 2 == 0).Definition.Name;
                foreach (InstanceView view in rig.Bus.Instances().Where(view => theirs.Contains(view.Definition.Uuid)))
                {
                    try
                    {
                        string name = view.Definition.Uuid.ToString();
                        rig.Bus.Start(name);
                        rig.Bus.Stop(name);
                    }
                    catch (BusException refusal) when (refusal.Error == BusError.NotFound)
                    {
                        // Undefined meanwhile.
                    }
                }

                rig.Bus.Remove(mine, force: true);
            }
        }))]);

        Assert.Equal(theirs.Where(uuid => File.Exists(rig.FileOf(uuid))).Order(), rig.Bus.Instances().Select(view => view.Definition.Uuid).Order());
        Assert.All(rig.Bus.Instances(), view => Assert.Equal(InstanceState.Stopped, view.State));
        Assert.Empty(rig.Workers.Running);
        Assert.Equal(0UL, rig.Used());
        Assert.Equal(string.Empty, Directory.Exists(rig.SetAside) ? string.Concat(Directory.GetFiles(rig.SetAside, "*.reason").Select(File.ReadAllText)) : string.Empty);
    }

    [Fact]
    public void A_folder_that_goes_and_comes_back_is_read_again()
    {
        using var rig = new Rig();
        rig.Create("idle", start: false);
        rig.Create("runs");
        string away = rig.Definitions + ".away";
        Directory.Move(rig.Definitions, away);
        Assert.Equal(["idle", "runs"], rig.Names());
        Assert.Equal(1, rig.Log.Count("can't be read again"));

        Directory.Move(away, rig.Definitions);
        Assert.Equal(["idle", "runs"], rig.Names());
        rig.Write(Good);
        Assert.Equal(3, rig.Names().Length);
        Assert.Equal(1, rig.Log.Count("can't be read again"));
    }
}
