using Vgpu.Testing;

namespace Vgpu.Tree.Tests;

/// <summary>A stock mdevctl on the tree.</summary>
public sealed class MdevctlTests : IDisposable
{
    private readonly MountedTree _tree = new();

    public MdevctlTests()
    {
        // As an operator's own: see Callout.
        Directory.Delete(Path.Combine(_tree.Definitions, "scripts.d"));
        Directory.CreateDirectory(Path.Combine(_tree.Definitions, "scripts.d", "callouts"));
        Directory.CreateDirectory(Path.Combine(_tree.Definitions, "scripts.d", "notifiers"));
    }

    public void Dispose() => _tree.Dispose();

    [Fact]
    public void Types_are_listed()
    {
        string output = Ok("types");

        Assert.Equal(
            """
            software0
              virtio-gpu-256m
                Available instances: 1
                Device API: vfio-user-pci
                Name: virtio-gpu-256m
                Description: 256 MiB 4 heads
              virtio-gpu-64m
                Available instances: 2
                Device API: vfio-user-pci
                Name: virtio-gpu-64m
                Description: 64 MiB 1 heads
            """, output);
    }

    [Fact]
    public void A_definition_is_started_with_its_attributes_stopped_and_taken_away()
    {
        string uuid = Guid.NewGuid().ToString();
        Ok("define", "--uuid", uuid, "--parent", "software0", "--type", "virtio-gpu-64m");
        Assert.Equal($"{uuid} software0 virtio-gpu-64m manual", Ok("list", "--defined"));
        Assert.Empty(Ok("list"));

        Ok("modify", "--uuid", uuid, "--addattr", "memory_limit", "--value", "33554432");
        Ok("modify", "--uuid", uuid, "--addattr", "mode", "--value", "1280x720");
        Ok("modify", "--uuid", uuid, "--auto");
        Assert.Equal($"{uuid} software0 virtio-gpu-64m auto", Ok("list", "--defined"));

        Ok("start", "--uuid", uuid);
        Assert.Equal($"{uuid} software0 virtio-gpu-64m auto (defined)", Ok("list"));
        Assert.Equal($"{uuid} software0 virtio-gpu-64m auto (active)", Ok("list", "--defined"));
        Assert.Equal("33554432", MountedTree.Read(_tree.Device(Guid.Parse(uuid), "memory_limit")));
        Assert.Equal("1280x720", MountedTree.Read(_tree.Device(Guid.Parse(uuid), "mode")));
        Assert.True(_tree.Bus.Instances().Single().Definition.Persistent);

        Ok("stop", "--uuid", uuid);
        Assert.Empty(Ok("list"));
        Ok("undefine", "--uuid", uuid);
        Assert.Empty(Ok("list", "--defined"));
    }

    [Fact]
    public void What_was_not_defined_lives_until_it_is_stopped()
    {
        string uuid = Ok("start", "--parent", "software0", "--type", "virtio-gpu-64m").Trim();

        Assert.Equal($"{uuid} software0 virtio-gpu-64m manual", Ok("list"));
        Assert.False(_tree.Bus.Instances().Single().Definition.Persistent);

        Ok("define", "--uuid", uuid);
        Assert.Equal($"{uuid} software0 virtio-gpu-64m manual (active)", Ok("list", "--defined"));
        Ok("stop", "--uuid", uuid);
        Assert.Empty(Ok("list"));
    }

    [Fact]
    public void An_attribute_that_is_refused_ends_the_start()
    {
        string uuid = Guid.NewGuid().ToString();
        Ok("define", "--uuid", uuid, "--parent", "software0", "--type", "virtio-gpu-64m");
        Ok("modify", "--uuid", uuid, "--addattr", "memory_limit", "--value", "0");

        (int status, string output) = Mdevctl.Run(_tree.Root, "start", "--uuid", uuid);

        Assert.Equal(1, status);
        Assert.Contains("Invalid argument", output, StringComparison.Ordinal);
        Assert.Contains("memory_limit can't be 0; give another", _tree.Log.Lines.Single(), StringComparison.Ordinal);
        Assert.Empty(Ok("list"));
    }

    [Fact]
    public void A_used_up_budget_is_said_in_mdevctls_words()
    {
        Ok("start", "--parent", "software0", "--type", "virtio-gpu-64m");
        Ok("start", "--parent", "software0", "--type", "virtio-gpu-64m");

        (int status, string output) = Mdevctl.Run(_tree.Root, "start", "--parent", "software0", "--type", "virtio-gpu-64m");

        Assert.Equal(1, status);
        Assert.Contains("No available instances of virtio-gpu-64m on software0", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Callouts_and_notifiers_run()
    {
        string said = Path.Combine(_tree.Definitions, "said");
        Callout("callouts", "[ \"$2\" = virtio-gpu-64m ] || exit 2; [ \"$4\" = get ] && exit 0; echo \"$4-$6\" >>" + said);
        Callout("notifiers", "echo \"$4-$6-$8\" >>" + said);
        Ok("start", "--parent", "software0", "--type", "virtio-gpu-64m");

        Assert.Equal(["pre-start", "post-start", "notify-start-success"], File.ReadAllLines(said));

        // A callout that says no is obeyed.
        Callout("callouts", "exit 1");
        Assert.Equal(1, Mdevctl.Run(_tree.Root, "start", "--parent", "software0", "--type", "virtio-gpu-64m").Status);
        Assert.Single(_tree.Bus.Instances());
    }

    // One that leaves its input unread may end before mdevctl has written that, which takes it for one that could not run.
    private void Callout(string kind, string script)
    {
        string path = Path.Combine(_tree.Definitions, "scripts.d", kind, "vgpu.sh");
        File.WriteAllText(path, $"#!/bin/sh\ncat >/dev/null\n{script}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private string Ok(params IEnumerable<string> arguments) => Mdevctl.Ok(_tree.Root, arguments);
}
