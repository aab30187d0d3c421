using Vgpu.Bus;
using Vgpu.Testing;

namespace Vgpu.Tree.Tests;

/// <summary>A bus and its tree, mounted in a folder of its own.</summary>
internal sealed class MountedTree : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public MountedTree(int capacity = 2)
    {
        Bus = new FakeBus(Definitions) { Capacity = capacity };
        Root = _folder.File("tree");
        Tree = BusTree.Mount(Bus, Root, Definitions, Log);
    }

    public FakeBus Bus { get; }

    public BusTree Tree { get; private set; }

    public ListLogger Log { get; } = new();

    public string Root { get; }

    public string Definitions => _folder.File("mdevctl.d");

    public string Device(Guid uuid, string attribute = "") => Path.Combine(Root, "sys/bus/mdev/devices", uuid.ToString(), attribute);

    public string Type(string attribute, string type = FakeBus.Small) => Path.Combine(Root, "sys/class/mdev_bus", FakeBus.ParentName, "mdev_supported_types", type, attribute);

    /// <summary>The line in a file, without its end.</summary>
    public static string Read(string path)
    {
        string text = File.ReadAllText(path);
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        return text[..^1];
    }

    public static void Write(string path, string text) => File.WriteAllText(path, text);

    /// <summary>What a shell says about a write that is refused, after its last colon: the error number's name.</summary>
    public static string Refusal(string path, string text)
    {
        (int status, string output) = Shell.Run("bash", "-c", "printf '%s' \"$1\" > \"$0\"", path, text);
        Assert.NotEqual(0, status);
        return output.TrimEnd().Split(": ")[^1];
    }

    public Guid Create(string type = FakeBus.Small)
    {
        var uuid = Guid.NewGuid();
        Write(Type("create", type), uuid.ToString());
        return uuid;
    }

    public void Dispose()
    {
        Tree.Dispose();
        _folder.Dispose();
    }
}
