using Vgpu.Bus;
using Vgpu.Screens;

namespace Vgpu.Testing;

/// <summary>
/// A bus in memory, with one parent of two types and a budget of 1 GiB: what an API says and does of it. Nothing is
/// served; a running instance has a worker of made-up numbers.
/// </summary>
public sealed class FakeBus : IBus
{
    private const ulong Budget = 1UL << 30;
    private readonly Lock _lock = new();
    private readonly List<InstanceView> _instances = [];
    private readonly Queue<BusEvent> _events = [];
    private long _number;

    public event Action<BusEvent>? Happened;

    /// <summary>How many events are kept.</summary>
    public int EventsKept { get; init; } = 64;

    /// <summary>Thrown by whatever is called next, where not null.</summary>
    public Exception? Failure { get; set; }

    /// <summary>How many handlers <see cref="Happened"/> has.</summary>
    public int Followers => Happened?.GetInvocationList().Length ?? 0;

    /// <summary>Where instances' sockets are said to be.</summary>
    public string RunFolder { get; init; } = "/run/vgpu";

    public IReadOnlyList<ParentView> Parents() => Locked(() =>
    {
        ulong used = _instances.Where(instance => instance.State == InstanceState.Running).Aggregate(0UL, (sum, instance) => sum + instance.MemoryLimit);
        return (IReadOnlyList<ParentView>)[new ParentView(
            "software0",
            "software",
            "The software GPU",
            new Dictionary<string, BudgetView> { ["memory"] = new(used, Budget), ["instances"] = new((ulong)_instances.Count, 16) },
            [TypeOf("virtio-gpu-256m", 256, used), TypeOf("bochs-16m", 16, used)])];
    });

    public IReadOnlyList<InstanceView> Instances() => Locked(() => (IReadOnlyList<InstanceView>)[.. _instances]);

    public InstanceView Find(string nameOrUuid) => Locked(() => _instances[Index(nameOrUuid)]);

    public InstanceView Create(CreateRequest request) => Locked(() =>
    {
        TypeView type = request.Parent != "software0"
            ? throw new BusException(BusError.NotFound, $"there is no parent '{request.Parent}'; 'vgpu types' lists them")
            : Parents()[0].Types.FirstOrDefault(type => type.Name == request.Type) ?? throw new BusException(BusError.NotFound, $"there is no type '{request.Type}' on {request.Parent}; 'vgpu types' lists them");
        string name = request.Name ?? $"{request.Type}-{_instances.Count + 1}";
        if (_instances.Any(instance => instance.Definition.Name == name || instance.Definition.Uuid == request.Uuid))
        {
            throw new BusException(BusError.Exists, $"there is an instance '{name}' already; choose another name");
        }

        if (request.Start && type.AvailableInstances == 0)
        {
            throw new BusException(BusError.Exhausted, $"No available instances of {type.Name} on software0; stop another first");
        }

        var made = new InstanceView
        {
            Definition = new InstanceDefinition
            {
                Uuid = request.Uuid ?? Guid.NewGuid(),
                Name = name,
                Parent = request.Parent,
                Type = request.Type,
                Auto = request.Auto,
                Persistent = request.Persistent,
                Owner = request.Owner,
                After = request.After,
                Settings = new SortedDictionary<string, string>(request.Settings.ToDictionary(), StringComparer.Ordinal),
            },
            State = InstanceState.Stopped,
            MemoryLimit = type.MemoryLimit,
        };
        _instances.Add(made);
        Raise("created", made);
        return request.Start ? Start(name) : made;
    });

    public InstanceView Set(string nameOrUuid, IReadOnlyDictionary<string, string?> settings) => Change(nameOrUuid, "changed", instance =>
    {
        var now = new SortedDictionary<string, string>(instance.Definition.Settings.ToDictionary(), StringComparer.Ordinal);
        InstanceDefinition definition = instance.Definition;
        ulong limit = instance.MemoryLimit;
        foreach ((string key, string? value) in settings)
        {
            switch (key)
            {
                case "name":
                    definition = definition with { Name = value! };
                    break;
                case "auto":
                    definition = definition with { Auto = value == "true" };
                    break;
                case "owner":
                    uint[] numbers = [.. value!.Split(':').Select(number => uint.Parse(number, null))];
                    definition = definition with { Owner = new InstanceOwner(numbers[0], numbers[1]) };
                    break;
                case "memory_limit" or "mode" when value is null:
                    _ = now.Remove(key);
                    break;
                case "memory_limit":
                    limit = ulong.TryParse(value, out ulong bytes) ? bytes : throw new BusException(BusError.Invalid, $"memory_limit is a number of bytes, not '{value}'");
                    now[key] = value!;
                    break;
                case "mode":
                    now[key] = value!;
                    break;
                default:
                    throw new BusException(BusError.Invalid, $"there is no setting '{key}'");
            }
        }

        return instance with { Definition = definition with { Settings = now }, MemoryLimit = limit };
    });

    public InstanceView Start(string nameOrUuid) => Change(nameOrUuid, "started", instance => instance with
    {
        State = InstanceState.Running,
        Paths = PathsOf(instance.Definition.Uuid),
        Worker = new WorkerStatus { Pid = 4242, MemoryLimit = instance.MemoryLimit, MemoryUsed = 12 << 20, Modes = [new DisplayMode(1920, 1080), null], Requests = 77, Successions = 1, CpuNanoseconds = 2_500_000_000, Frames = 60, ViewedBytes = 4096 },
    });

    public void Stop(string nameOrUuid)
    {
        InstanceView stopped = Change(nameOrUuid, "stopped", instance => instance with { State = InstanceState.Stopped, Paths = null, Worker = null });
        if (!stopped.Definition.Persistent)
        {
            Remove(nameOrUuid, force: true);
        }
    }

    public InstanceView Upgrade(string nameOrUuid) => Change(nameOrUuid, "upgraded", instance => instance.Worker is WorkerStatus worker
        ? instance with { Worker = worker with { Successions = worker.Successions + 1 } }
        : throw new BusException(BusError.Busy, $"{instance.Definition.Name} does not run; start it first"));

    public void Remove(string nameOrUuid, bool force) => Locked(() =>
    {
        InstanceView instance = _instances[Index(nameOrUuid)];
        if (instance.Worker?.ClientPid is int client && !force)
        {
            throw new BusException(BusError.Busy, $"{instance.Definition.Name} has a client, process {client}; detach it, or remove with --force");
        }

        Raise("removed", instance);
        return _instances.Remove(instance);
    });

    public IReadOnlyList<BusEvent> Events(long after) => Locked(() => (IReadOnlyList<BusEvent>)[.. _events.Where(happened => happened.Number > after)]);

    /// <summary>A VMM comes.</summary>
    public void Attach(string nameOrUuid, int pid) => Change(nameOrUuid, "client-attached", instance => instance with { Worker = instance.Worker! with { ClientPid = pid } });

    /// <summary>Its worker, guest and viewers do this much more.</summary>
    public void Work(string nameOrUuid, TimeSpan cpu = default, ulong frames = 0, ulong viewedBytes = 0, long requests = 0, TimeSpan gpu = default, TimeSpan throttled = default) => Locked(() =>
    {
        int index = Index(nameOrUuid);
        WorkerStatus worker = _instances[index].Worker!;
        return _instances[index] = _instances[index] with
        {
            Worker = worker with
            {
                CpuNanoseconds = worker.CpuNanoseconds + (ulong)(cpu.TotalSeconds * 1e9),
                GpuNanoseconds = gpu == default ? worker.GpuNanoseconds : (worker.GpuNanoseconds ?? 0) + (ulong)(gpu.TotalSeconds * 1e9),
                ThrottledNanoseconds = throttled == default ? worker.ThrottledNanoseconds : (worker.ThrottledNanoseconds ?? 0) + (ulong)(throttled.TotalSeconds * 1e9),
                Frames = worker.Frames + frames,
                ViewedBytes = worker.ViewedBytes + viewedBytes,
                Requests = worker.Requests + requests,
            },
        };
    });

    /// <summary>Another worker takes over, whose own numbers begin anew.</summary>
    public void Replace(string nameOrUuid, int pid) => Locked(() =>
    {
        int index = Index(nameOrUuid);
        return _instances[index] = _instances[index] with { Worker = _instances[index].Worker! with { Pid = pid, CpuNanoseconds = 1_000_000, Requests = 3 } };
    });

    /// <summary>Something happens.</summary>
    public void Raise(string kind, InstanceView? about = null, string detail = "it happened")
    {
        BusEvent happened;
        lock (_lock)
        {
            happened = new BusEvent(++_number, DateTime.UtcNow, kind, about?.Definition.Uuid, about?.Definition.Name, detail);
            _events.Enqueue(happened);
            while (_events.Count > EventsKept)
            {
                _ = _events.Dequeue();
            }
        }

        Happened?.Invoke(happened);
    }

    private static TypeView TypeOf(string name, int mebibytes, ulong used) => new()
    {
        Name = name,
        Description = $"{mebibytes} MiB",
        DeviceApi = "vfio-user-pci",
        Vendor = name.Split('-')[0],
        MemoryLimit = (ulong)mebibytes << 20,
        Heads = 1,
        MaxWidth = 1920,
        MaxHeight = 1200,
        AvailableInstances = (int)((Budget - Math.Min(used, Budget)) / ((ulong)mebibytes << 20)),
    };

    private InstancePaths PathsOf(Guid uuid)
    {
        string folder = Path.Combine(RunFolder, uuid.ToString());
        return new InstancePaths(folder, Path.Combine(folder, "vfio.sock"), Path.Combine(folder, "screen.sock"));
    }

    private InstanceView Change(string nameOrUuid, string kind, Func<InstanceView, InstanceView> change) => Locked(() =>
    {
        int index = Index(nameOrUuid);
        _instances[index] = change(_instances[index]);
        Raise(kind, _instances[index]);
        return _instances[index];
    });

    private int Index(string nameOrUuid)
    {
        int index = _instances.FindIndex(instance => instance.Definition.Name == nameOrUuid || instance.Definition.Uuid.ToString() == nameOrUuid);
        return index >= 0 ? index : throw new BusException(BusError.NotFound, $"there is no instance '{nameOrUuid}'; 'vgpu list' shows those there are");
    }

    private T Locked<T>(Func<T> action)
    {
        lock (_lock)
        {
            return Failure is null ? action() : throw Failure;
        }
    }
}
