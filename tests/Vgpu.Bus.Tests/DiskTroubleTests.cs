using System.Diagnostics;
using Vgpu.Testing;

namespace Vgpu.Bus.Tests;

/// <summary>Real disks that refuse. Needs root, for mounts.</summary>
public sealed class DiskTroubleTests
{
    [Fact]
    public void A_full_disk_refuses_in_one_line_and_changes_nothing()
    {
        using var disk = new SmallDisk();
        using var rig = new Rig(state: disk.Folder);
        rig.Create("desk");
        disk.Fill();
        string before = rig.Disk();

        string message = rig.Refused(BusError.Failed, () => rig.Create("second")).Message;
        Assert.StartsWith($"can't write {rig.Definitions}/gpu0/", message, StringComparison.Ordinal);
        Assert.EndsWith(": No space left on device; free some space there and try again", message, StringComparison.Ordinal);
        rig.Refused(BusError.Failed, () => rig.Bus.Set("desk", new Dictionary<string, string?> { ["name"] = "table", ["memory_limit"] = "64m" }));

        Assert.Equal(before, rig.Disk());
        Assert.Equal(["desk"], rig.Names());
        Assert.Equal(16 * Rig.MiB, rig.Used());
        Assert.Equal(["start desk"], rig.Workers.Calls);

        // What needs no room goes on.
        rig.Bus.Stop("desk");
        rig.Bus.Start("desk");
        rig.Create("transient", persistent: false);
        disk.Free();
        rig.Create("second");
        Assert.Equal(["desk", "second", "transient"], rig.Again().Instances().Select(view => view.Definition.Name));
    }

    [Fact]
    public void A_read_only_disk_is_read_and_refuses_changes()
    {
        using var disk = new SmallDisk();
        using var rig = new Rig(state: disk.Folder);
        rig.Create("desk");
        Guid bad = rig.Write("no JSON");
        disk.Remount("ro");
        VgpuBus bus = rig.Again();

        Assert.Equal(InstanceState.Running, Assert.Single(bus.Instances()).State);
        Assert.Equal(1, rig.Log.Count($"{rig.FileOf(bad)} is left out: it is no JSON"));
        Assert.EndsWith("Read-only file system; mount it writable, or give the daemon another folder", rig.Refused(BusError.Failed, () => rig.Create("second")).Message, StringComparison.Ordinal);
        rig.Refused(BusError.Failed, () => bus.Remove("desk", force: true));
        Assert.Equal((InstanceState.Running, 16 * Rig.MiB), (bus.Find("desk").State, rig.Used()));
        Assert.EndsWith(" is there already: move it away, or take another UUID", rig.Refused(BusError.Exists, () => rig.Create(uuid: bad)).Message, StringComparison.Ordinal);

        disk.Remount("rw");
        bus.Remove("desk", force: true);
        Assert.Empty(rig.Names());
    }

    [Fact]
    public void A_full_run_folder_starts_nothing()
    {
        using var disk = new SmallDisk();
        using var rig = new Rig();
        Directory.CreateDirectory(rig.Run);
        Directory.CreateSymbolicLink(Path.Combine(rig.Run, "instances"), disk.Folder);
        rig.Create("idle", start: false);
        disk.Fill();
        string before = rig.Disk();

        rig.Refused(BusError.Failed, () => rig.Create("second"));
        rig.Refused(BusError.Failed, () => rig.Bus.Start("idle"));

        Assert.Equal(before, rig.Disk());
        Assert.Equal(["idle"], rig.Names());
        Assert.Empty(rig.Workers.Calls);
        Assert.Equal(0UL, rig.Used());
        disk.Free();
        rig.Bus.Start("idle");
    }

    [Fact]
    public void A_file_where_a_parent_s_folder_belongs_is_named()
    {
        using var rig = new Rig();
        Directory.CreateDirectory(rig.Definitions);
        string folder = Path.Combine(rig.Definitions, "gpu0");
        File.WriteAllText(folder, "the operator's");

        Assert.EndsWith("; move away what stands where a folder belongs", rig.Refused(BusError.Failed, () => rig.Create("desk")).Message, StringComparison.Ordinal);
        Assert.Empty(rig.Names());
        rig.Create("transient", persistent: false);
        Assert.Equal("the operator's", File.ReadAllText(folder));
    }

    [Fact]
    public void A_state_folder_that_can_not_be_made_is_told_of_at_the_start()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("file"), "the operator's");
        using var rig = new Rig(state: folder.File("file/state"));

        string message = rig.Refused(BusError.Failed, () => rig.Again()).Message;
        Assert.StartsWith($"can't make {folder.File("file/state")}/mdevctl.d", message, StringComparison.Ordinal);
    }

    /// <summary>A file system of its own, of few pages.</summary>
    private sealed class SmallDisk : IDisposable
    {
        private readonly TemporaryFolder _around = new();

        internal SmallDisk()
        {
            Directory.CreateDirectory(Folder);
            Call("mount", "-t", "tmpfs", "-o", "size=128k", "vgpu-test", Folder);
        }

        internal string Folder => _around.File("disk");

        private string Ballast => Path.Combine(Folder, "ballast");

        internal void Fill()
        {
            using FileStream file = File.Create(Ballast, 1);
            byte[] page = new byte[4096];
            try
            {
                while (true)
                {
                    file.Write(page);
                }
            }
            catch (IOException)
            {
                // Full.
            }
        }

        internal void Free() => File.Delete(Ballast);

        internal void Remount(string how) => Call("mount", "-o", "remount," + how, Folder);

        public void Dispose()
        {
            Call("umount", "-l", Folder);
            _around.Dispose();
        }

        private static void Call(string program, params string[] arguments)
        {
            using Process process = Process.Start(program, arguments);
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: exit status {process.ExitCode}; these tests mount file systems, so run them as root");
        }
    }
}
