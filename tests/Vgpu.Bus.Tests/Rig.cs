// A bus over folders of its own and a fake worker host, and what its tests ask again and again.
using System.Globalization;
using Microsoft.Extensions.Logging;
using Vgpu.Gpus;
using Vgpu.Testing;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Bus.Tests;

internal sealed class Rig : IDisposable
{
    internal const ulong MiB = 1 << 20;

    private readonly TemporaryFolder _folder = new();
    private VgpuBus? _bus;

    internal Rig(ulong memory = 1024 * MiB, ulong instances = 64, string? state = null)
    {
        (Memory, Instances) = (memory, instances);
        State = state ?? _folder.File("state");
    }

    internal ulong Memory { get; set; }

    internal ulong Instances { get; set; }

    internal FakeWorkers Workers { get; } = new();

    internal ListLogger Log { get; } = new();

    internal FakeClock Clock { get; } = new();

    internal List<string> Types { get; } = ["large", "small"];

    internal string State { get; }

    internal string Run => _folder.File("run");

    internal string Definitions => Path.Combine(State, "mdevctl.d");

    internal string SetAside => Path.Combine(State, "set-aside");

    /// <summary>Opened at the first use.</summary>
    internal VgpuBus Bus
    {
        get
        {
            lock (_folder)
            {
                return _bus ??= Open();
            }
        }
    }

    /// <summary>The daemon is gone and comes again; the workers stay.</summary>
    internal VgpuBus Again(bool start = true)
    {
        _bus?.Dispose();
        _bus = null;
        if (start)
        {
            Bus.StartAuto();
        }

        return Bus;
    }

    internal InstanceView Create(string? name = null, string type = "small", bool start = true, bool persistent = true, bool auto = false, string? after = null, Guid? uuid = null, params (string Name, string Value)[] settings) =>
        Bus.Create(new CreateRequest
        {
            Parent = "gpu0",
            Type = type,
            Name = name,
            Start = start,
            Persistent = persistent,
            Auto = auto,
            After = after is null ? [] : after.Split(','),
            Uuid = uuid,
            Settings = settings.ToDictionary(setting => setting.Name, setting => setting.Value),
        });

    internal string FileOf(Guid uuid, string parent = "gpu0") => Path.Combine(Definitions, parent, uuid.ToString());

    /// <summary>A definition as somebody else writes it.</summary>
    internal Guid Write(string content, Guid? uuid = null, string parent = "gpu0")
    {
        Guid name = uuid ?? Guid.NewGuid();
        Directory.CreateDirectory(Path.Combine(Definitions, parent));
        File.WriteAllText(FileOf(name, parent), content);
        return name;
    }

    internal ulong Used(string budget = "memory") => Bus.Parents()[0].Budgets[budget].Used;

    internal int Available(string type) => Bus.Parents()[0].Types.Single(offered => offered.Name == type).AvailableInstances;

    internal string[] Names() => [.. Bus.Instances().Select(view => view.Definition.Name)];

    internal string[] Kinds() => [.. Bus.Events(0).Select(happened => happened.Kind)];

    internal BusException Refused(BusError error, Action call)
    {
        var refusal = Assert.Throws<BusException>(call);
        Assert.Equal(error, refusal.Error);
        Assert.DoesNotContain('\n', refusal.Message);
        return refusal;
    }

    /// <summary>All files below the state and run folders and what they hold: what may not change when something is refused.</summary>
    internal string Disk() => string.Join('\n', new[] { State, Run }.Where(Directory.Exists)
        .SelectMany(folder => Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }))
        .Where(path => !path.EndsWith("bus.lock", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(path => $"{path}: {File.ReadAllText(path)}"));

    public void Dispose()
    {
        _bus?.Dispose();
        _folder.Dispose();
    }

    private VgpuBus Open() => VgpuBus.Open(
        new BusOptions { StateFolder = State, RunFolder = Run },
        [new Parent("gpu0", "fake", "a GPU", new Dictionary<string, ulong> { ["memory"] = Memory, ["instances"] = Instances, ["heads"] = 128 }, [new Vendor(Types)])],
        Workers,
        Log,
        Clock);

    // small: 16 MiB, 2 heads; large: 256 MiB, 16 heads.
    private sealed class Vendor(IReadOnlyList<string> types) : IVgpuVendor
    {
        public string Name => "fake";

        public IReadOnlyList<VgpuType> Types { get; } =
            [.. types.Select(name => name == "small" ? new VgpuType(name, "a small one", 2, 16 * MiB) : new VgpuType(name, "a large one", 16, 256 * MiB))];

        public VgpuInstance Create(VgpuType type, VgpuOptions options, Type2 iommu, IRenderer renderer, ILogger log) =>
            throw new InvalidOperationException("the bus makes no devices");
    }
}

/// <summary>Stands still until it is moved.</summary>
internal sealed class FakeClock : TimeProvider
{
    private long _ticks;

    internal DateTimeOffset Wall { get; set; } = DateTimeOffset.Parse("2026-01-01T00:00:00Z", CultureInfo.InvariantCulture);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Volatile.Read(ref _ticks);

    public override DateTimeOffset GetUtcNow() => Wall;

    internal void Pass(TimeSpan time) => Interlocked.Add(ref _ticks, time.Ticks);
}
