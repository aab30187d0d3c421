using System.Diagnostics;

namespace Vgpu.Bus.Tests;

/// <summary>The files of definitions, whoever wrote them: what is none is set aside, told of once, and stops nothing else.</summary>
public sealed class DefinitionFileTests
{
    private const string Good = """{"mdev_type":"small","start":"manual","attrs":[]}""";

    [Fact]
    public void It_is_mdevctl_s_JSON_with_what_we_add_in_its_attributes()
    {
        using var rig = new Rig();
        InstanceView view = rig.Bus.Create(new CreateRequest
        {
            Parent = "gpu0",
            Type = "small",
            Name = "desk",
            Auto = true,
            Owner = new InstanceOwner(1000, 100),
            After = ["a", "b"],
            Settings = new Dictionary<string, string> { ["mode"] = "800x600", ["memory_limit"] = "64m", ["interrupts"] = "msix", ["heads"] = "2", ["guest_blobs"] = "on" },
        });

        Assert.Equal(
            """
            {
              "vgpu_version": 1,
              "mdev_type": "small",
              "start": "auto",
              "attrs": [
                {
                  "name": "desk"
                },
                {
                  "owner": "1000:100"
                },
                {
                  "after": "a,b"
                },
                {
                  "memory_limit": "67108864"
                },
                {
                  "heads": "2"
                },
                {
                  "mode": "800x600"
                },
                {
                  "interrupts": "msix"
                },
                {
                  "guest_blobs": "on"
                }
              ]
            }
            """,
            File.ReadAllText(rig.FileOf(view.Definition.Uuid)));

        rig.Bus.Stop("desk");
        InstanceDefinition read = rig.Again(start: false).Find("desk").Definition;
        Assert.Equal((new InstanceOwner(1000, 100), true, "a,b"), (read.Owner!.Value, read.Auto, string.Join(',', read.After)));
        Assert.Equal(view.Definition.Settings, read.Settings);
    }

    public static TheoryData<string, string> BadFiles => new()
    {
        { "", "it is no JSON" },
        { """{"mdev_type":"small","st""", "it is no JSON" },
        { "[]", "it is no JSON object" },
        { """{"start":"auto"}""", "it has no mdev_type" },
        { """{"mdev_type":"small"}""", "it has no start" },
        { """{"mdev_type":7,"start":"auto"}""", "its mdev_type is no string" },
        { """{"mdev_type":"small","start":"always"}""", "its start is 'always', neither auto nor manual" },
        { """{"mdev_type":"small","start":"auto","vgpu_version":"2"}""", "its vgpu_version is no number" },
        { """{"mdev_type":"small","mdev_type":"large","start":"auto"}""", "it is no JSON" },
        { """{"mdev_type":"small","start":"auto","attrs":{}}""", "its attrs are no list" },
        { """{"mdev_type":"small","start":"auto","attrs":[{"a":"b","c":"d"}]}""", "an entry of its attrs is no object" },
        { """{"mdev_type":"small","start":"auto","attrs":[{"heads":2}]}""", "its attribute 'heads' is no string" },
        { """{"mdev_type":"small","start":"auto","attrs":[{"heads":"3"}]}""", "heads of small can't be '3': it is 1 to 2" },
        { """{"mdev_type":"small","start":"auto","attrs":[{"colour":"red"}]}""", "there is no setting 'colour'" },
        { """{"mdev_type":"small","start":"auto","attrs":[{"name":"../../etc"}]}""", "'../../etc' can't be a name" },
        { """{"mdev_type":"small","start":"auto","attrs":[{"name":"taken"}]}""", "the name 'taken' is" },
        { """{"mdev_type":"small","start":"auto","attrs":[{"name":"\ud800"}]}""", "" },
        { """{"mdev_type":"small","start":"auto","attrs":[{"owner":"nobody-here:0"}]}""", "this host has no user 'nobody-here'" },
        { """{"mdev_type":"small","start":"auto","attrs":[{"after":"a/b"}]}""", "after names 'a/b'" },
        { new string('[', 5000), "it is no JSON" },
        { Good + new string(' ', 64 << 10), "it is no plain file of at most 64 KiB" },
    };

    [Theory]
    [MemberData(nameof(BadFiles))]
    public void A_bad_file_is_moved_away_with_its_reason_and_its_content(string content, string reason)
    {
        using var rig = new Rig();
        rig.Create("taken", start: false, uuid: Guid.Parse("00000000-0000-4000-8000-000000000000"));
        Guid uuid = rig.Write(content, Guid.Parse("11111111-0000-4000-8000-000000000000"));

        VgpuBus bus = rig.Again();

        Assert.Equal(["taken"], rig.Names());
        string moved = Path.Combine(rig.SetAside, $"gpu0-{uuid}");
        Assert.Equal(content, File.ReadAllText(moved));
        Assert.Contains(reason, File.ReadAllText(moved + ".reason"), StringComparison.Ordinal);
        BusEvent told = Assert.Single(bus.Events(0));
        Assert.Equal(("set-aside", uuid), (told.Kind, told.Uuid));
        Assert.Contains(reason, told.Detail, StringComparison.Ordinal);
        Assert.Equal(1, rig.Log.Count("set aside"));
        rig.Create(uuid: uuid);
    }

    [Fact]
    public void What_is_no_plain_file_is_moved_away_as_it_is()
    {
        using var rig = new Rig();
        rig.Create("good", start: false);
        string folder = Path.Combine(rig.Definitions, "gpu0");
        string outside = Path.Combine(rig.Run, "outside");
        File.WriteAllText(outside, Good);
        string[] names = [.. Enumerable.Range(1, 5).Select(at => $"{at}2222222-0000-4000-8000-000000000000")];
        File.CreateSymbolicLink(Path.Combine(folder, names[0]), outside);
        File.CreateSymbolicLink(Path.Combine(folder, names[1]), "/nowhere");
        Directory.CreateDirectory(Path.Combine(folder, names[2]));
        File.WriteAllText(Path.Combine(folder, names[2], "kept"), "mine");
        File.CreateSymbolicLink(Path.Combine(folder, names[3]), "/dev/zero");
        using (Process fifo = Process.Start("mkfifo", Path.Combine(folder, names[4])))
        {
            fifo.WaitForExit();
            Assert.Equal(0, fifo.ExitCode);
        }

        File.WriteAllText(Path.Combine(folder, "notes.txt"), "mine too");
        File.WriteAllText(Path.Combine(folder, "12222222-0000-4000-8000-00000000ABCD"), Good);
        File.WriteAllText(Path.Combine(folder, ".hidden"), "an editor's");

        Assert.Equal(["good"], rig.Again().Instances().Select(view => view.Definition.Name));

        Assert.Equal(7, rig.Kinds().Count(kind => kind == "set-aside"));
        Assert.Equal("mine", File.ReadAllText(Path.Combine(rig.SetAside, "gpu0-" + names[2], "kept")));
        Assert.Equal("mine too", File.ReadAllText(Path.Combine(rig.SetAside, "gpu0-notes.txt")));
        Assert.Equal(outside, new FileInfo(Path.Combine(rig.SetAside, "gpu0-" + names[0])).LinkTarget);
        Assert.Equal(2, Directory.EnumerateFileSystemEntries(folder).Count());
    }

    [Theory]
    [InlineData("gpu9", """{"mdev_type":"small","start":"auto","attrs":[{"name":"desk"}]}""", "there is no parent 'gpu9' here: there are gpu0")]
    [InlineData("gpu0", """{"mdev_type":"huge","start":"auto","attrs":[{"name":"desk"},{"anything":"x"}]}""", "gpu0 has no type 'huge': it has large, small")]
    [InlineData("gpu0", """{"mdev_type":"small","start":"auto","vgpu_version":2,"attrs":"of another kind"}""", "it is of version 2 and this vgpu knows version 1: run the newer vgpu")]
    public void What_this_daemon_lacks_stays_where_it_is_and_is_shown_as_failed(string parent, string content, string problem)
    {
        using var rig = new Rig();
        Guid uuid = rig.Write(content, parent: parent);

        rig.Again();

        InstanceView view = Assert.Single(rig.Bus.Instances());
        Assert.Equal((uuid, InstanceState.Failed, problem), (view.Definition.Uuid, view.State, view.Problem));
        Assert.Equal(content, File.ReadAllText(rig.FileOf(uuid, parent)));
        Assert.Equal(["set-aside"], rig.Kinds());
        rig.Refused(BusError.NotFound, () => rig.Bus.Start(uuid.ToString()));
        rig.Refused(BusError.NotFound, () => rig.Bus.Set(uuid.ToString(), new Dictionary<string, string?> { ["heads"] = "1" }));
        rig.Refused(BusError.Exists, () => rig.Create(uuid: uuid));
        rig.Bus.Stop(uuid.ToString());
        Assert.Equal(problem, rig.Bus.Find(uuid.ToString()).Problem);

        rig.Bus.Remove(uuid.ToString(), force: false);
        Assert.False(File.Exists(rig.FileOf(uuid, parent)));
    }

    [Fact]
    public void A_type_that_comes_back_brings_its_instances_back()
    {
        using var rig = new Rig();
        Guid uuid = rig.Create("desk", auto: true, settings: ("heads", "2")).Definition.Uuid;
        rig.Types.Remove("small");
        Assert.Equal(InstanceState.Failed, rig.Again().Find("desk").State);
        Assert.Empty(rig.Workers.Running);

        rig.Types.Add("small");
        Assert.Equal(InstanceState.Running, rig.Again().Find("desk").State);
        Assert.Equal("2", rig.Bus.Find(uuid.ToString()).Settings["heads"]);
    }

    [Fact]
    public void One_UUID_on_two_parents_is_the_first_s()
    {
        using var rig = new Rig();
        Guid uuid = rig.Write(Good);
        rig.Write(Good, uuid, "gpu1");

        Assert.Equal("gpu0", Assert.Single(rig.Again().Instances()).Definition.Parent);
        Assert.True(File.Exists(Path.Combine(rig.SetAside, $"gpu1-{uuid}")));
        Assert.Contains("gpu0 has one of this UUID", rig.Bus.Events(0)[0].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Leftovers_of_a_write_that_was_cut_off_are_taken_away()
    {
        using var rig = new Rig();
        Guid uuid = rig.Create("desk").Definition.Uuid;
        string[] leftovers = [Path.Combine(rig.Definitions, "gpu0", $".{uuid}.vgpu-new"), Path.Combine(rig.Run, "instances", $".{uuid}.json.vgpu-new")];
        Assert.All(leftovers, path => File.WriteAllText(path, "half of"));

        rig.Again();

        Assert.All(leftovers, path => Assert.False(File.Exists(path)));
        Assert.Equal(InstanceState.Running, rig.Bus.Find("desk").State);
    }

    [Fact]
    public void A_bad_file_of_what_runs_is_set_aside_and_its_worker_ended()
    {
        using var rig = new Rig();
        rig.Create("good", persistent: false);
        Guid uuid = rig.Create("desk").Definition.Uuid;
        string path = Path.Combine(rig.Run, "instances", uuid + ".json");
        File.WriteAllText(path, "{");

        VgpuBus bus = rig.Again();

        Assert.Equal([("desk", InstanceState.Stopped), ("good", InstanceState.Running)], bus.Instances().Select(view => (view.Definition.Name, view.State)));
        Assert.Equal("good", Assert.Single(rig.Workers.Running).Name);
        Assert.Equal("{", File.ReadAllText(Path.Combine(rig.SetAside, $"instances-{uuid}.json")));
    }
}
