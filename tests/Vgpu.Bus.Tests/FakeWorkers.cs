// A worker host without processes: it lives on when a bus is closed and opened again, as workers do.
namespace Vgpu.Bus.Tests;

internal sealed class FakeWorkers : IWorkerHost
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, InstanceDefinition> _running = [];
    private readonly Dictionary<Guid, int> _clients = [];
    private readonly List<string> _calls = [];

    public event Action<WorkerEvent>? Reported;

    /// <summary>Called within each Start, with no lock held; may throw.</summary>
    internal Action<InstanceDefinition> OnStart { get; set; } = _ => { };

    internal Action<InstanceDefinition> OnConfigure { get; set; } = _ => { };

    internal Action<Guid> OnStop { get; set; } = _ => { };

    /// <summary>For example <c>start desk</c>, in their order.</summary>
    internal IReadOnlyList<string> Calls
    {
        get
        {
            lock (_lock)
            {
                return [.. _calls];
            }
        }
    }

    internal IReadOnlyList<InstanceDefinition> Running
    {
        get
        {
            lock (_lock)
            {
                return [.. _running.Values];
            }
        }
    }

    public IReadOnlySet<Guid> Adopt(IReadOnlyCollection<Guid> expected, TimeSpan timeout)
    {
        lock (_lock)
        {
            foreach (Guid stray in _running.Keys.Except(expected).ToList())
            {
                _running.Remove(stray);
            }

            return _running.Keys.ToHashSet();
        }
    }

    public void Start(InstanceDefinition definition)
    {
        Say("start " + definition.Name);
        OnStart(definition);
        lock (_lock)
        {
            Assert.True(_running.TryAdd(definition.Uuid, definition), $"{definition.Name} is started twice");
        }
    }

    public void Configure(InstanceDefinition definition)
    {
        Say("configure " + definition.Name);
        OnConfigure(definition);
        lock (_lock)
        {
            Assert.True(_running.ContainsKey(definition.Uuid));
            _running[definition.Uuid] = definition;
        }
    }

    public void Upgrade(Guid uuid) => Say("upgrade");

    public void Stop(Guid uuid)
    {
        Say("stop");
        OnStop(uuid);
        lock (_lock)
        {
            _running.Remove(uuid);
            _clients.Remove(uuid);
        }
    }

    public WorkerStatus? Status(Guid uuid)
    {
        lock (_lock)
        {
            return _running.ContainsKey(uuid) ? new WorkerStatus { Pid = 1, ClientPid = _clients.TryGetValue(uuid, out int pid) ? pid : null } : null;
        }
    }

    public InstancePaths Paths(Guid uuid) => new($"/run/{uuid}", $"/run/{uuid}/vgpu.sock", $"/run/{uuid}/screen.sock");

    public void Dispose()
    {
    }

    internal void Attach(Guid uuid, int pid)
    {
        lock (_lock)
        {
            _clients[uuid] = pid;
        }

        Report(uuid, WorkerEventKind.ClientAttached, $"pid {pid}");
    }

    /// <summary>A worker is gone and nobody heard of it: killed together with the daemon.</summary>
    internal void Lose(Guid uuid)
    {
        lock (_lock)
        {
            _running.Remove(uuid);
        }
    }

    /// <summary>A worker that can't be brought back.</summary>
    internal void Fail(Guid uuid, string why)
    {
        Lose(uuid);
        Report(uuid, WorkerEventKind.Failed, why);
    }

    internal void Report(Guid uuid, WorkerEventKind kind, string detail) => Reported?.Invoke(new WorkerEvent(uuid, kind, detail));

    private void Say(string call)
    {
        lock (_lock)
        {
            _calls.Add(call);
        }
    }
}
