using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Vgpu.Bus.Workers;

/// <summary>
/// Serves instances by a worker process each, on one thread of its own (<see cref="WorkerSupervisor"/>); members hand their
/// work to it and wait.
/// </summary>
public sealed class WorkerHost : IWorkerHost
{
    private readonly WorkerHostOptions _options;
    private readonly WorkerSupervisor _supervisor;
    private readonly ConcurrentDictionary<Guid, ServedInstance> _instances = new();

    /// <summary>
    /// Listens for workers in the run folder, which must be there and no other daemon's. Throws <see cref="BusException"/>
    /// where that can't be.
    /// </summary>
    public WorkerHost(WorkerHostOptions options, ILogger log)
    {
        _options = options;
        _supervisor = new WorkerSupervisor(options, _instances, log);
        _supervisor.Reported += happened => Reported?.Invoke(happened);
        _supervisor.Start();
    }

    public event Action<WorkerEvent>? Reported;

    public IReadOnlySet<Guid> Adopt(IReadOnlyCollection<Guid> expected, TimeSpan timeout)
    {
        var found = new TaskCompletionSource<IReadOnlySet<Guid>>(TaskCreationOptions.RunContinuationsAsynchronously);
        _supervisor.Post(() => _supervisor.Adopt(expected, timeout, found));
        return found.Task.GetAwaiter().GetResult();
    }

    public void Start(InstanceDefinition definition)
    {
        InstancePaths paths = Paths(definition.Uuid);
        Wait(done => _supervisor.Post(() => _supervisor.StartInstance(definition, paths, done)), definition, _options.StartTimeout + TimeSpan.FromSeconds(5));
    }

    public void Configure(InstanceDefinition definition) =>
        Wait(done => _supervisor.Post(() => _supervisor.Configure(definition, done)), definition, TimeSpan.FromSeconds(15));

    public void Upgrade(Guid uuid)
    {
        ServedInstance instance = _instances.GetValueOrDefault(uuid) ?? throw new BusException(BusError.NotFound, $"{uuid} does not run; start it first");
        Wait(done => _supervisor.Post(() => _supervisor.Upgrade(instance, done)), instance.Record.Definition, _options.StartTimeout + TimeSpan.FromSeconds(5));
    }

    public void Stop(Guid uuid)
    {
        if (_instances.TryGetValue(uuid, out ServedInstance? instance))
        {
            Wait(done => _supervisor.Post(() => _supervisor.Stop(instance, done)), instance.Record.Definition, TimeSpan.FromSeconds(15));
        }
    }

    public WorkerStatus? Status(Guid uuid) =>
        _instances.GetValueOrDefault(uuid) is { } instance && instance.Measure() is { } status ? _supervisor.Shares.Complete(instance.Record.Definition, status) : null;

    public InstancePaths Paths(Guid uuid) => InstanceSockets.Paths(_options.RunFolder, uuid);

    /// <summary>Ends the thread. Workers that serve go on, for the next daemon; spare ones end.</summary>
    public void Dispose() => _supervisor.Dispose();

    private static void Wait(Action<TaskCompletionSource> begin, InstanceDefinition definition, TimeSpan timeout)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        begin(done);
        try
        {
            if (!done.Task.Wait(timeout))
            {
                throw new BusException(BusError.Failed, $"the worker of {definition.Name} has not answered for {timeout.TotalSeconds:0} s; see the daemon's log");
            }
        }
        catch (AggregateException e) when (e.InnerException is BusException why)
        {
            throw new BusException(why.Error, why.Message, why);
        }
    }
}
