// How the bus comes up: what ran before, what it finds, what it starts by itself.
using Vgpu.Bus.Disk;

namespace Vgpu.Bus;

public sealed partial class VgpuBus
{
    /// <summary>
    /// Starts what ran under an earlier daemon and lost its worker, and what is marked so, in the order that they ask for,
    /// those that don't wait for each other at the same time. One that can't be started is Failed and stops no other. Once.
    /// </summary>
    public void StartAuto()
    {
        try
        {
            foreach (List<InstanceDefinition> group in StartOrder.Groups(ToStart(), IsKnown, Complain))
            {
                Parallel.ForEach(group, new ParallelOptions { MaxDegreeOfParallelism = Math.Max(2, Environment.ProcessorCount) }, StartOne);
            }
        }
        finally
        {
            _ready.TrySetResult();
            _events.Raise();
        }

        bool IsKnown(string name)
        {
            lock (_table.Lock)
            {
                return _table.All.Any(instance => instance.Made && (instance.Names.Contains(name) || instance.Uuid.ToString() == name));
            }
        }

        void Complain(InstanceDefinition definition, string detail)
        {
            _log.OddOrder(OneLine.Of(detail));
            Note("fault", definition, detail);
        }
    }

    private List<InstanceDefinition> ToStart()
    {
        lock (_table.Lock)
        {
            return [.. _table.All.Where(WantsStart).Select(instance => instance.Definition)];
        }
    }

    private static bool WantsStart(Instance instance) =>
        instance.Made && (instance.Lost || instance is { Unusable: null, State: InstanceState.Stopped, Stored.Auto: true });

    private void StartOne(InstanceDefinition definition)
    {
        Instance? instance;
        lock (_table.Lock)
        {
            instance = _table.Find(definition.Uuid);
        }

        if (instance is null)
        {
            return;
        }

        using var turn = new Turn(this, instance);
        if (!WantsStart(instance))
        {
            // The operator was faster.
            return;
        }

        try
        {
            Start(instance);
        }
        catch (BusException failure)
        {
            MarkFailed(instance, definition, failure.Message);
        }
    }

    /// <summary>An automatic start that a budget refused; one that the worker refused is Failed already.</summary>
    private void MarkFailed(Instance instance, InstanceDefinition definition, string problem)
    {
        lock (_table.Lock)
        {
            if (instance.State == InstanceState.Failed)
            {
                return;
            }

            (instance.State, instance.Problem) = (InstanceState.Failed, problem);
        }

        NoteFailed(definition, problem);
    }

    private void Load(TimeSpan adoptTimeout)
    {
        _runs.Open();
        _definitions.Open(_parents.Keys);
        List<Instance> ran = [];
        foreach ((string path, Guid uuid, DefinitionFile file) in _runs.Load())
        {
            if (LoadRunning(path, uuid, file) is { } instance)
            {
                ran.Add(instance);
            }
        }

        Scan(atStart: true);
        _workers.Reported += OnReported;

        // Those that can't be here are not expected: their workers are ended.
        IReadOnlySet<Guid> adopted = Adopt([.. ran.Select(instance => instance.Uuid)], adoptTimeout);
        lock (_table.Lock)
        {
            foreach (Instance instance in ran)
            {
                bool serves = adopted.Contains(instance.Uuid);
                (instance.State, instance.Lost) = serves && instance.EarlyEnd is null ? (InstanceState.Running, false) : (InstanceState.Starting, true);
            }
        }

        if (adopted.Count > 0)
        {
            _log.Adopted(adopted.Count);
        }

        _events.Raise();
    }

    private Instance? LoadRunning(string path, Guid uuid, DefinitionFile file)
    {
        if (file is DefinitionFile.Whole { Definition: { Parent: not null } stored })
        {
            InstanceDefinition? definition = Check(stored.Parent, uuid, stored, stored.Name, out string? reason, out string? unusable);
            if (definition is not null)
            {
                lock (_table.Lock)
                {
                    if (_table.Find(uuid) is null && (_table.Reserve(uuid) is { } instance))
                    {
                        try
                        {
                            _table.Define(instance, null, definition);
                            _table.Charge(instance, definition, force: true);
                            (instance.Made, instance.Unusable, instance.Problem) = (true, unusable, unusable);
                            instance.State = unusable is null ? InstanceState.Starting : InstanceState.Failed;
                            return unusable is null ? instance : null;
                        }
                        catch (BusException failure)
                        {
                            _table.Drop(instance);
                            reason = failure.Message;
                        }
                    }
                }
            }

            _setAside.Move(path, reason ?? "there is another of this UUID");
        }
        else if (file is not DefinitionFile.Missing)
        {
            _setAside.Move(path, file switch
            {
                DefinitionFile.Broken broken => broken.Reason,
                DefinitionFile.Unreadable unreadable => unreadable.Reason,
                _ => "it names no parent",
            });
        }

        return null;
    }

    private IReadOnlySet<Guid> Adopt(Guid[] expected, TimeSpan timeout)
    {
        try
        {
            return _workers.Adopt(expected, timeout);
        }
        catch (BusException failure)
        {
            _log.NotAdopted(failure.Message);
            return new HashSet<Guid>();
        }
    }
}
