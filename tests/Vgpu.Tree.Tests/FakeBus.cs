using System.Text.Json;
using Vgpu.Bus;
using Vgpu.Screens;

namespace Vgpu.Tree.Tests;

/// <summary>
/// A bus of one parent and one budget in memory. Definitions are what lies in their folder when it is asked, as mdevctl
/// leaves them there. No processes.
/// </summary>
internal sealed class FakeBus(string definitions) : IBus
{
    public const string ParentName = "software0";
    public const string Small = "virtio-gpu-64m";
    public const string Medium = "virtio-gpu-256m";

    private readonly Lock _gate = new();
    private readonly Dictionary<Guid, InstanceView> _active = [];

    public event Action<BusEvent>? Happened
    {
        add { }
        remove { }
    }

    public int Capacity { get; init; } = 2;

    /// <summary>Called before an instance starts, without the lock.</summary>
    public Action<Guid> Starting { get; set; } = _ => { };

    /// <summary>Settings in the order in which they came: UUID, name and value.</summary>
    public List<(Guid Uuid, string Name, string? Value)> Sets { get; } = [];

    public IReadOnlyList<ParentView> Parents()
    {
        lock (_gate)
        {
            int left = Capacity - _active.Count;
            return [new ParentView(ParentName, "software", "renders on the CPU", new Dictionary<string, BudgetView>(), [Type(Small, 64, 1, left), Type(Medium, 256, 4, left / 2)])];
        }
    }

    public IReadOnlyList<InstanceView> Instances()
    {
        lock (_gate)
        {
            return [.. _active.Values];
        }
    }

    public InstanceView Find(string nameOrUuid)
    {
        lock (_gate)
        {
            return _active.GetValueOrDefault(Guid.Parse(nameOrUuid)) ?? Defined(Guid.Parse(nameOrUuid))
                ?? throw new BusException(BusError.NotFound, $"no instance {nameOrUuid}");
        }
    }

    public InstanceView Create(CreateRequest request) => Run(new InstanceView
    {
        Definition = new InstanceDefinition
        {
            Uuid = request.Uuid!.Value,
            Name = request.Name ?? $"{request.Type}-{request.Uuid.Value.ToString()[..4]}",
            Parent = request.Parent,
            Type = request.Type,
            Persistent = request.Persistent,
        },
        State = InstanceState.Running,
        MemoryLimit = 64 << 20,
    });

    public InstanceView Set(string nameOrUuid, IReadOnlyDictionary<string, string?> settings)
    {
        (string name, string? value) = settings.Single();
        if (value is "0")
        {
            throw new BusException(BusError.Invalid, $"{name} can't be {value}; give another");
        }

        lock (_gate)
        {
            InstanceView now = _active[Guid.Parse(nameOrUuid)];
            Sets.Add((now.Definition.Uuid, name, value));
            var all = now.Definition.Settings.ToDictionary();
            all.Remove(name);
            if (value is not null)
            {
                all.Add(name, value);
            }

            InstanceDefinition definition = now.Definition with { Settings = all, Name = name == "name" ? value! : now.Definition.Name };
            ulong limit = all.TryGetValue("memory_limit", out string? bytes) ? ulong.Parse(bytes) : 64 << 20;
            return _active[definition.Uuid] = now with { Definition = definition, MemoryLimit = limit };
        }
    }

    public InstanceView Start(string nameOrUuid) => Run(Find(nameOrUuid) with { State = InstanceState.Running });

    public void Stop(string nameOrUuid)
    {
        lock (_gate)
        {
            _active.Remove(Guid.Parse(nameOrUuid));
        }
    }

    public InstanceView Upgrade(string nameOrUuid) => throw new NotSupportedException();

    public void Remove(string nameOrUuid, bool force) => throw new NotSupportedException();

    public IReadOnlyList<BusEvent> Events(long after) => [];

    /// <summary>Changes what an instance shows.</summary>
    public void Report(Guid uuid, Func<InstanceView, InstanceView> change)
    {
        lock (_gate)
        {
            _active[uuid] = change(_active[uuid]);
        }
    }

    private static TypeView Type(string name, ulong mebibytes, int heads, int left) => new()
    {
        Name = name,
        Description = $"{mebibytes} MiB\n{heads} heads",
        DeviceApi = "vfio-user-pci",
        Vendor = "virtio-gpu",
        MemoryLimit = mebibytes << 20,
        Heads = heads,
        MaxWidth = 1920,
        MaxHeight = 1080,
        AvailableInstances = left,
    };

    private InstanceView Run(InstanceView instance)
    {
        Guid uuid = instance.Definition.Uuid;
        Starting(uuid);
        lock (_gate)
        {
            if (_active.Count == Capacity)
            {
                throw new BusException(BusError.Exhausted, "no room; stop another");
            }

            if (!_active.TryAdd(uuid, instance with { Worker = new WorkerStatus { Pid = 1, Modes = [new DisplayMode(800, 600), null] } }))
            {
                throw new BusException(BusError.Exists, $"{uuid} exists");
            }

            return _active[uuid];
        }
    }

    private InstanceView? Defined(Guid uuid)
    {
        string file = Path.Combine(definitions, ParentName, uuid.ToString());
        if (!File.Exists(file))
        {
            return null;
        }

        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(file));
        return new InstanceView
        {
            Definition = new InstanceDefinition
            {
                Uuid = uuid,
                Name = "defined-" + uuid.ToString()[..4],
                Parent = ParentName,
                Type = json.RootElement.GetProperty("mdev_type").GetString()!,
                Auto = json.RootElement.GetProperty("start").GetString() == "auto",
            },
            State = InstanceState.Stopped,
            MemoryLimit = 64 << 20,
        };
    }
}
