using Vgpu.Bus;
using Vgpu.Testing;

namespace Vgpu.Tree.Tests;

/// <summary>The bus as a shell sees it.</summary>
public sealed class TreeTests : IDisposable
{
    private readonly MountedTree _tree = new(capacity: 8);

    public void Dispose() => _tree.Dispose();

    [Fact]
    public void A_device_is_where_the_kernel_would_have_it()
    {
        Guid uuid = _tree.Create();
        string folder = $"{_tree.Root}/sys/devices/virtual/vgpu/software0/{uuid}";

        Assert.Equal(folder, Resolve(_tree.Device(uuid)));
        Assert.Equal(folder, Resolve(_tree.Type($"devices/{uuid}")));
        Assert.Equal(folder, Resolve($"{_tree.Root}/sys/bus/mdev/drivers/vfio_vgpu/{uuid}"));
        Assert.Equal($"{_tree.Root}/sys/devices/virtual/vgpu/software0/mdev_supported_types/virtio-gpu-64m", Resolve(_tree.Device(uuid, "mdev_type")));
        Assert.Equal($"{_tree.Root}/sys/bus/mdev", Resolve(_tree.Device(uuid, "subsystem")));
        Assert.Equal($"{_tree.Root}/sys/bus/mdev/drivers/vfio_vgpu", Resolve(_tree.Device(uuid, "driver")));
        Assert.Equal(_tree.Definitions, Resolve($"{_tree.Root}/etc/mdevctl.d"));
        Assert.Equal(0, Shell.Run("find", _tree.Root, "-follow", "-maxdepth", "8").Output.Split('\n').Count(line => line.Contains("No such", StringComparison.Ordinal)));
        Assert.False(Directory.Exists(_tree.Type($"devices/{uuid}", FakeBus.Medium)));

        MountedTree.Write(_tree.Device(uuid, "remove"), "1\n");

        Assert.False(Directory.Exists(folder));
        Assert.Empty(Directory.EnumerateFileSystemEntries($"{_tree.Root}/sys/bus/mdev/devices"));
        Assert.Empty(_tree.Bus.Instances());
    }

    [Fact]
    public void A_device_tells_how_it_is()
    {
        Guid uuid = _tree.Create();
        Assert.Equal("running", Read(uuid, "state"));
        Assert.Equal(string.Empty, Read(uuid, "client"));
        Assert.Equal("67108864", Read(uuid, "memory_limit"));
        Assert.Equal("0", Read(uuid, "memory_used"));
        Assert.Equal("1", Read(uuid, "heads"));
        Assert.Equal("800x600\noff", Read(uuid, "modes"));
        Assert.Equal(string.Empty, Read(uuid, "owner"));
        Assert.Equal("7", MountedTree.Read(_tree.Type("available_instances")));

        _tree.Bus.Report(uuid, now => now with
        {
            State = InstanceState.Failed,
            Problem = "two\nlines",
            Definition = now.Definition with { Owner = new InstanceOwner(1000, 100) },
            Worker = new WorkerStatus { Pid = 1, ClientPid = 4711, MemoryUsed = 5 },
        });

        Assert.Equal("failed", Read(uuid, "state"));
        Assert.Equal("two lines", Read(uuid, "problem"));
        Assert.Equal("4711", Read(uuid, "client"));
        Assert.Equal("5", Read(uuid, "memory_used"));
        Assert.Equal("1000:100", Read(uuid, "owner"));
    }

    [Fact]
    public void Settings_are_set_where_they_change()
    {
        Guid uuid = _tree.Create();

        MountedTree.Write(_tree.Device(uuid, "mode"), "1024x768\n");
        MountedTree.Write(_tree.Device(uuid, "mode"), "1024x768");
        MountedTree.Write(_tree.Device(uuid, "heads"), "1");
        Assert.Equal("1024x768", Read(uuid, "mode"));
        MountedTree.Write(_tree.Device(uuid, "mode"), "\n");
        MountedTree.Write(_tree.Device(uuid, "name"), "desk");

        Assert.Equal([(uuid, "mode", "1024x768"), (uuid, "mode", null), (uuid, "name", "desk")], _tree.Bus.Sets);
        Assert.Equal("desk", Read(uuid, "name"));
    }

    [Fact]
    public void Class_vgpu_has_names_and_numbers_that_stay()
    {
        Guid first = _tree.Create();
        Assert.Equal(first, Numbered(0));
        Guid second = _tree.Create(FakeBus.Medium);
        Assert.Equal(second, Numbered(1));

        MountedTree.Write(_tree.Device(first, "remove"), "1");
        Assert.Equal(second, Numbered(1));
        Assert.Null(Numbered(0));

        Guid third = _tree.Create();
        Assert.Equal(third, Numbered(0));

        // Who takes the name of another's number later does not get it; who has it first keeps it.
        MountedTree.Write(_tree.Device(third, "name"), "vgpu1");
        Assert.Equal(second, Numbered(1));
        MountedTree.Write(_tree.Device(second, "name"), "vgpu2");
        Guid fourth = _tree.Create();
        Assert.Equal(fourth, Numbered(3));
        Assert.Equal(second, Numbered(2));
        Assert.Equal(["vgpu0", "vgpu1", "vgpu2", "vgpu3", Read(fourth, "name")], Directory.EnumerateFileSystemEntries($"{_tree.Root}/sys/class/vgpu/virtio-gpu").Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal).OrderBy(name => name.Length));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("not a UUID")]
    [InlineData("83b8f4f2-509f-382f-3c1e-e6bfe0fa100")]
    [InlineData("83b8f4f2-509f-382f-3c1e-e6bfe0fa10011")]
    [InlineData("83b8f4f2-509f-382f-3c1e-e6bfe0fa1001\n\n")]
    [InlineData(" 83b8f4f2-509f-382f-3c1e-e6bfe0fa100")]
    [InlineData("+3b8f4f2-509f-382f-3c1e-e6bfe0fa1001")]
    [InlineData("0xb8f4f2-509f-382f-3c1e-e6bfe0fa1001")]
    [InlineData("83b8f4f2/509f/382f/3c1e/e6bfe0fa1001")]
    [InlineData("{83b8f4f2-509f-382f-3c1e-e6bfe0fa1001}")]
    [InlineData("../../../../../../../../etc/passwd/..")]
    public void What_is_no_UUID_makes_nothing(string text)
    {
        // An empty write is none.
        if (text.Length > 0)
        {
            // A shell would write line by line.
            IOException e = Assert.Throws<IOException>(() => MountedTree.Write(_tree.Type("create"), text));
            Assert.StartsWith("Invalid argument", e.Message, StringComparison.Ordinal);
        }

        Assert.Empty(_tree.Bus.Instances());
    }

    [Fact]
    public void Refusals_have_the_kernels_error_numbers()
    {
        Guid uuid = _tree.Create();
        Assert.Equal("File exists", MountedTree.Refusal(_tree.Type("create"), uuid.ToString()));
        Assert.Equal("File exists", MountedTree.Refusal(_tree.Type("create", FakeBus.Medium), uuid.ToString()));
        Assert.Equal("Invalid argument", MountedTree.Refusal(_tree.Device(uuid, "remove"), "0"));
        Assert.Equal("Invalid argument", MountedTree.Refusal(_tree.Device(uuid, "memory_limit"), "0"));
        while (_tree.Bus.Instances().Count < 8)
        {
            _tree.Create();
        }

        Assert.Equal("0", MountedTree.Read(_tree.Type("available_instances")));
        Assert.Equal("No space left on device", MountedTree.Refusal(_tree.Type("create"), Guid.NewGuid().ToString()));
        Assert.All([BusError.Busy, BusError.Forbidden, BusError.NotFound, BusError.Failed], error =>
        {
            _tree.Bus.Starting = _ => throw new BusException(error, "no");
            string expected = error switch
            {
                BusError.Busy => "Device or resource busy",
                BusError.Forbidden => "Permission denied",
                BusError.NotFound => "No such file or directory",
                _ => "Input/output error",
            };
            Assert.Equal(expected, MountedTree.Refusal(_tree.Type("create"), Guid.NewGuid().ToString()));
        });
        Assert.Contains(_tree.Log.Lines, line => line == "tree: a write to create was refused: no room; stop another");
    }

    [Fact]
    public void Others_may_read_and_not_write()
    {
        Guid uuid = _tree.Create();
        File.SetUnixFileMode(Path.GetDirectoryName(_tree.Root)!, (UnixFileMode)0x1ed);
        string[] asNobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "sh", "-c"];

        Assert.Equal("running\n", Shell.Run("setpriv", [.. asNobody, $"cat {_tree.Device(uuid, "state")}"]).Output);
        Assert.Contains("Permission denied", Shell.Run("setpriv", [.. asNobody, $"echo 1 > {_tree.Device(uuid, "remove")}"]).Output, StringComparison.Ordinal);
        Assert.Contains("Permission denied", Shell.Run("setpriv", [.. asNobody, $"echo 5 > {_tree.Device(uuid, "memory_limit")}"]).Output, StringComparison.Ordinal);
        Assert.Single(_tree.Bus.Instances());
    }

    [Fact]
    public async Task Walks_meet_devices_that_come_and_go()
    {
        bool stop = false;
        var makers = Enumerable.Range(0, 2).Select(_ => Task.Factory.StartNew(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                Guid uuid = _tree.Create();
                MountedTree.Write(_tree.Device(uuid, "remove"), "1");
            }
        }, TaskCreationOptions.LongRunning)).ToArray();
        for (int i = 0; i < 30; i++)
        {
            // Says nothing but that what it saw has gone.
            string output = Shell.Run("sh", "-c", $"find {_tree.Root} -type f -perm -444 -exec cat {{}} + 2>&1 >/dev/null").Output;
            Assert.All(output.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.EndsWith("No such file or directory", line, StringComparison.Ordinal));
        }

        Volatile.Write(ref stop, true);
        await Task.WhenAll(makers);
        Assert.Empty(_tree.Bus.Instances());
    }

    private static string Resolve(string path) => Shell.Run("readlink", "-e", path).Output.TrimEnd();

    private string Read(Guid uuid, string attribute) => MountedTree.Read(_tree.Device(uuid, attribute));

    private Guid? Numbered(int number) =>
        Resolve($"{_tree.Root}/sys/class/vgpu/virtio-gpu/vgpu{number}") is { Length: > 0 } path ? Guid.Parse(Path.GetFileName(path)) : null;
}
