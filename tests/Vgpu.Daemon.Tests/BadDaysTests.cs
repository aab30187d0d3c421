using Vgpu.Api;
using Vgpu.Bus;
using Vgpu.Testing;

namespace Vgpu.Daemon.Tests;

/// <summary>What goes wrong on a host: each is one line that says so, what runs goes on, and what mends it mends it.</summary>
public sealed class BadDaysTests : IDisposable
{
    private const string Type = "bochs-display-4m";

    private readonly RunningDaemon _daemon = new();

    public void Dispose() => _daemon.Dispose();

    [Fact]
    public void A_full_disk_is_said_and_room_on_it_mends_it()
    {
        _daemon.MountState(64);
        _daemon.Start();
        Create("desk");
        string filler = Path.Combine(_daemon.State, "filler");
        Fill(filler);

        _daemon.Vgpu("create", "software0", Type, "--name", "late").AssertOneLine(1, "No space left on device", "free some space there");
        _daemon.Vgpu("set", "desk", "name=table").AssertOneLine(1, "No space left on device", "free some space there");
        AssertServes("desk");
        Assert.Equal(["desk"], Names());

        // Not even a daemon's end and start harm what there is.
        _daemon.End();
        _daemon.Start();
        AssertServes("desk");
        File.Delete(filler);
        Create("late");
        Assert.Equal(["desk", "late"], Names());
        RemoveAll();
    }

    [Fact]
    public void A_disk_that_can_t_be_written_is_said_and_what_is_on_it_runs()
    {
        _daemon.MountState(1024);
        _daemon.Start();
        Create("desk", "--auto");
        _daemon.RemountState("ro");

        _daemon.Vgpu("create", "software0", Type, "--name", "late").AssertOneLine(1, "Read-only file system", "mount it writable");
        _daemon.Vgpu("remove", "desk").AssertOneLine(1, "Read-only file system", "mount it writable");
        _daemon.End();
        _daemon.Start();
        AssertServes("desk");
        _daemon.Vgpu("stop", "desk").AssertDone();
        _daemon.End();
        _daemon.Start();
        AssertServes("desk");

        _daemon.RemountState("rw");
        Create("late");
        RemoveAll();
    }

    [Fact]
    public void Too_few_descriptors_are_said_and_a_higher_limit_mends_it()
    {
        _daemon.Start("prlimit --nofile=400");
        List<string> made = [];
        Cli.Tests.Outcome outcome;
        for (outcome = Try(); outcome.Status == 0; outcome = Try())
        {
            made.Add($"vm-{made.Count}");
            Assert.InRange(made.Count, 1, 40);
        }

        outcome.AssertOneLine(1, "the daemon may open 400 files", "raise its limit (LimitNOFILE) or stop a vGPU");
        Assert.Equal(made.Order(StringComparer.Ordinal), Names());
        Assert.All(made, AssertServes);
        _daemon.Vgpu("remove", made[^1]).AssertDone();
        made.RemoveAt(made.Count - 1);
        Assert.DoesNotContain(_daemon.Log, line => line.Contains("Too many open files", StringComparison.Ordinal));
        _daemon.End();
        _daemon.Start();
        Assert.Equal(made.Order(StringComparer.Ordinal), Names());
        Assert.All(made, AssertServes);
        Create("more");
        RemoveAll();

        Cli.Tests.Outcome Try() => _daemon.Vgpu("create", "software0", Type, "--name", $"vm-{made.Count}");
    }

    [Fact]
    public void Without_fuse_there_is_no_tree_and_all_else()
    {
        _daemon.Start("unshare --mount --propagation private -- bash -c 'mount --bind /dev/null /dev/fuse && exec \"$0\" \"$@\"'");

        Assert.Single(_daemon.Log, line => line.StartsWith("vgpud: warning: there is no tree: ", StringComparison.Ordinal));
        Create("desk");
        AssertServes("desk");
        _daemon.End();
        _daemon.Start();
        AssertServes("desk");
        Assert.Contains("desk", File.ReadAllText(Directory.EnumerateFiles(_daemon.Definitions).Single()), StringComparison.Ordinal);
        Assert.True(Directory.Exists(Path.Combine(_daemon.Tree, "sys/class/mdev_bus/software0")));
        RemoveAll();
    }

    [Fact]
    public void A_second_daemon_is_refused_and_the_first_notices_nothing()
    {
        _daemon.Start();
        Create("desk");
        int worker = _daemon.WorkerOf("desk");

        (int status, string output) = RunningDaemon.Second(_daemon.State, _daemon.Run, _daemon.Tree);
        Assert.Equal((1, $"vgpud: error: another vgpud runs in {_daemon.Run}, process {_daemon.Pid}; end it, or give --run another folder\n"), (status, output));

        Assert.Equal(worker, _daemon.WorkerOf("desk"));
        AssertServes("desk");
        RemoveAll();
    }

    [Theory]
    [InlineData("1 year ago")]
    [InlineData("1 year")]
    public void A_clock_that_was_a_year_off_changes_nothing(string when)
    {
        _daemon.Start();
        Create("desk");
        int worker = _daemon.WorkerOf("desk");
        foreach (bool killed in (bool[])[false, true])
        {
            if (killed)
            {
                _daemon.Kill();
            }
            else
            {
                _daemon.End();
            }

            Assert.Equal(0, Shell.Run("find", [_daemon.State, _daemon.Run, "-exec", "touch", "--no-dereference", "--date", when, "{}", "+"]).Status);
            _daemon.Start();
            Assert.Equal(worker, _daemon.WorkerOf("desk"));
            AssertServes("desk");
        }

        RemoveAll();
    }

    [Theory]
    [InlineData("software0", "11111111-2222-3333-4444-555555555555", "virtio-gpu-9t", "desk", false, "software0 has no type 'virtio-gpu-9t'")]
    [InlineData("hardware7", "11111111-2222-3333-4444-555555555555", Type, "desk", false, "there is no parent 'hardware7' here")]
    [InlineData("software0", "desk", Type, "desk", true, "its name is no UUID")]
    [InlineData("software0", "11111111-2222-3333-4444-555555555555", Type, "a/b", true, "'a/b'")]
    public void A_definition_that_can_t_be_is_one_line_and_the_rest_starts(string parent, string file, string type, string name, bool setAside, string why)
    {
        string path = Path.Combine(_daemon.State, "mdevctl.d", parent, file);
        Define(path, type, name);
        Define(Path.Combine(_daemon.Definitions, "99999999-2222-3333-4444-555555555555"), Type, "good");

        _daemon.Start();
        AssertServes("good");
        string line = Assert.Single(_daemon.Log, line => line.Contains(file, StringComparison.Ordinal) && line.Contains(why, StringComparison.Ordinal));
        Assert.Equal(setAside, !File.Exists(path));
        Assert.Equal(setAside, line.Contains("is set aside as", StringComparison.Ordinal));
        if (setAside)
        {
            string aside = Assert.Single(Directory.EnumerateFiles(_daemon.SetAside, "*.reason"));
            Assert.Contains(why, File.ReadAllText(aside), StringComparison.Ordinal);
            Assert.True(File.Exists(aside[..^".reason".Length]));
        }
        else
        {
            Assert.Contains(why, Find("desk").Problem, StringComparison.Ordinal);
            File.Delete(path);
        }

        // Written as it should be, it starts with the next daemon.
        _daemon.End();
        Define(Path.Combine(_daemon.Definitions, "11111111-2222-3333-4444-555555555555"), Type, "desk");
        _daemon.Start();
        AssertServes("desk");
        Assert.DoesNotContain(_daemon.Log, line => line.Contains(why, StringComparison.Ordinal));
        RemoveAll();
    }

    private static void Define(string path, string type, string name)
    {
        _ = Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, $$"""{"mdev_type": "{{type}}", "start": "auto", "attrs": [{"name": "{{name}}"}]}""");
    }

    // To the last byte.
    private static void Fill(string path)
    {
        using FileStream file = new(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        byte[] page = new byte[4096];
        _ = Assert.ThrowsAny<IOException>(WriteOn);

        void WriteOn()
        {
            while (true)
            {
                file.Write(page);
            }
        }
    }

    private void Create(string name, params string[] words) => _daemon.Vgpu("create", ["software0", Type, "--name", name, .. words]).AssertDone();

    private void AssertServes(string name)
    {
        using var remote = new RemoteDevice(Find(name).Paths!.Socket);
        Assert.Equal(0x1111_1234u, remote.Client.RegionRead<uint>(7, 0));
    }

    private Api.Instance Find(string name)
    {
        using ApiClient client = _daemon.Client();
        return client.Find(name);
    }

    private List<string> Names()
    {
        using ApiClient client = _daemon.Client();
        return [.. client.Instances().Where(instance => instance.State == InstanceState.Running).Select(instance => instance.Name).Order(StringComparer.Ordinal)];
    }

    private void RemoveAll()
    {
        using (ApiClient client = _daemon.Client())
        {
            foreach (string name in Names())
            {
                client.Remove(name, force: true);
            }

            Assert.Empty(client.Instances());
            Budgets.AssertAre(client.Parents().Single(), []);
        }

        _daemon.AssertNothingLeft();
    }
}
