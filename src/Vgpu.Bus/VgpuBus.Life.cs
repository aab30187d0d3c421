// Creation, start, stop and removal: each wholly or not at all.
using Vgpu.Bus.Budgets;
using Vgpu.Bus.Disk;
using Vgpu.Bus.Settings;
using Vgpu.Gpus;

namespace Vgpu.Bus;

public sealed partial class VgpuBus
{
    private const int MaxAfter = 64;

    /// <inheritdoc/>
    public InstanceView Create(CreateRequest request)
    {
        Refresh();
        Instance instance = Reserve(request, out InstanceDefinition definition);
        using var turn = new Turn(this, instance);
        bool written = false;
        try
        {
            if (definition.Persistent)
            {
                _definitions.WriteNew(definition);
                written = true;
            }

            if (request.Start)
            {
                Launch(instance, definition);
            }
        }
        catch
        {
            if (written)
            {
                Undo(() => PreparedFile.Remove(_definitions.PathOf(definition)));
            }

            lock (_table.Lock)
            {
                _table.Drop(instance);
            }

            throw;
        }

        lock (_table.Lock)
        {
            instance.Made = true;
        }

        Note("created", definition, $"{definition.Type} on {definition.Parent}");
        if (request.Start)
        {
            NoteStarted(instance, definition);
        }

        return View(instance);
    }

    /// <inheritdoc/>
    public InstanceView Start(string nameOrUuid)
    {
        using Turn turn = Enter(nameOrUuid);
        if (turn.Instance.State != InstanceState.Running)
        {
            Start(turn.Instance);
        }

        return View(turn.Instance);
    }

    /// <inheritdoc/>
    public void Stop(string nameOrUuid)
    {
        using Turn turn = Enter(nameOrUuid);
        Stop(turn.Instance);
    }

    /// <inheritdoc/>
    public InstanceView Upgrade(string nameOrUuid)
    {
        using Turn turn = Enter(nameOrUuid);
        Instance instance = turn.Instance;
        if (instance.State != InstanceState.Running)
        {
            throw new BusException(BusError.Busy, $"{instance.Definition.Name} does not run: start it, which takes the program as it is now");
        }

        Guarded(() => _workers.Upgrade(instance.Uuid));
        Note("upgraded", instance.Definition, "its worker is of the program as it is on disk now");
        return View(instance);
    }

    /// <inheritdoc/>
    public void Remove(string nameOrUuid, bool force)
    {
        using Turn turn = Enter(nameOrUuid);
        Instance instance = turn.Instance;
        InstanceDefinition definition = instance.Definition;
        if (!force && instance.State == InstanceState.Running && _workers.Status(instance.Uuid)?.ClientPid is { } client)
        {
            throw new BusException(BusError.Busy, $"{definition.Name} is attached to process {client}: unplug it there, or remove it by force");
        }

        InstanceDefinition? stored = instance.Stored;
        if (stored is not null)
        {
            PreparedFile.Remove(_definitions.PathOf(stored));
        }

        try
        {
            if (IsActive(instance))
            {
                End(instance);
            }
        }
        catch
        {
            if (stored is not null)
            {
                Undo(() => _definitions.Write(stored));
            }

            throw;
        }

        Forget(instance, definition);
    }

    private static bool IsActive(Instance instance) => instance.Active is not null;

    /// <summary>Checks all that is asked, takes UUID, name and budget, and leaves them with an instance that nobody sees yet.</summary>
    private Instance Reserve(CreateRequest request, out InstanceDefinition definition)
    {
        Parent parent = _parents.GetValueOrDefault(request.Parent) ?? throw new BusException(
            BusError.NotFound, $"there is no parent '{OneLine.Of(request.Parent, 64)}': there are {string.Join(", ", _parents.Keys)}");
        VgpuType type = (parent.Find(request.Type) ?? throw new BusException(
            BusError.NotFound, $"{parent.Name} has no type '{OneLine.Of(request.Type, 64)}': it has {string.Join(", ", parent.Offers.Select(offer => offer.Type.Name))}")).Type;
        Guid uuid = request.Uuid ?? Guid.NewGuid();
        if (uuid == Guid.Empty)
        {
            throw new BusException(BusError.Invalid, "the UUID of zeros names nothing: take another, or none for a fresh one");
        }

        if (request is { Persistent: false, Auto: true })
        {
            throw new BusException(BusError.Invalid, "a transient instance can't be started by the daemon: leave out auto, or make it persistent");
        }

        if (request is { Persistent: false, Start: false })
        {
            throw new BusException(BusError.Invalid, "a transient instance that is not started is nothing: start it, or make it persistent");
        }

        if (request.Name is not null)
        {
            InstanceName.Check(request.Name);
        }

        definition = new InstanceDefinition
        {
            Uuid = uuid,
            Name = request.Name ?? string.Empty,
            Parent = parent.Name,
            Type = type.Name,
            Auto = request.Auto,
            Persistent = request.Persistent,
            Owner = request.Owner,
            After = CheckAfter(request.After),
            Settings = Setting.Checked(request.Settings, type),
        };
        lock (_table.Lock)
        {
            Instance instance = _table.Reserve(uuid);
            try
            {
                definition = request.Name is null ? definition with { Name = _table.FreeName(type.Name) } : definition;
                _table.Define(instance, request.Persistent ? definition : null, request.Start ? definition : null);
                if (request.Start)
                {
                    _table.Charge(instance, definition);
                }

                return instance;
            }
            catch
            {
                _table.Drop(instance);
                throw;
            }
        }
    }

    private static IReadOnlyList<string> CheckAfter(IReadOnlyList<string> after)
    {
        if (after.Count > MaxAfter)
        {
            throw new BusException(BusError.Invalid, $"after names {after.Count} instances: {MaxAfter} at most");
        }

        foreach (string name in after)
        {
            if (!InstanceName.IsPlain(name))
            {
                throw new BusException(BusError.Invalid, $"after names '{OneLine.Of(name, 64)}', which is no name and no UUID");
            }
        }

        return [.. after];
    }

    /// <summary>Starts what is defined, or what was lost with its worker. Its gate is held and it does not run.</summary>
    private void Start(Instance instance)
    {
        InstanceDefinition definition = instance is { Active: not null, Lost: true } or { Stored: null } ? instance.Active! : instance.Stored!;
        if (instance.Unusable is not null && !instance.Lost)
        {
            throw new BusException(BusError.NotFound, $"{definition.Name} can't be started: {instance.Unusable}");
        }

        lock (_table.Lock)
        {
            _table.Charge(instance, definition);
            _table.Define(instance, instance.Stored, definition);
            (instance.State, instance.Lost) = (InstanceState.Starting, false);
        }

        try
        {
            Launch(instance, definition);
        }
        catch (BusException failure)
        {
            lock (_table.Lock)
            {
                _table.GiveBack(instance);
                _table.Define(instance, instance.Stored, instance.Stored is null ? definition : null);
                (instance.State, instance.Problem) = (InstanceState.Failed, failure.Message);
            }

            NoteFailed(definition, failure.Message);
            throw;
        }

        NoteStarted(instance, definition);
    }

    /// <summary>Run file and worker; the budget is taken. Throws with neither of them left.</summary>
    private void Launch(Instance instance, InstanceDefinition definition)
    {
        lock (_table.Lock)
        {
            (instance.State, instance.Problem, instance.EarlyEnd) = (InstanceState.Starting, null, null);
        }

        try
        {
            _runs.Write(definition);
            Guarded(() => _workers.Start(definition));
            string? ended;
            lock (_table.Lock)
            {
                ended = instance.EarlyEnd;
                instance.State = ended is null ? InstanceState.Running : InstanceState.Starting;
            }

            if (ended is not null)
            {
                Undo(() => _workers.Stop(definition.Uuid));
                throw new BusException(BusError.Failed, $"{definition.Name} ended as it was started: {ended}");
            }
        }
        catch
        {
            Undo(() => _runs.Remove(definition.Uuid));
            throw;
        }
    }

    /// <summary>Stops it where it runs, failed or is about to be started again. Its gate is held.</summary>
    private void Stop(Instance instance)
    {
        InstanceDefinition definition = instance.Definition;
        if (IsActive(instance))
        {
            End(instance);
            Note("stopped", definition, string.Empty);
            _log.Stopped(definition.Name, definition.Uuid);
        }

        if (instance.Stored is null)
        {
            Forget(instance, definition);
        }
        else if (instance.Unusable is null)
        {
            lock (_table.Lock)
            {
                (instance.State, instance.Problem) = (InstanceState.Stopped, null);
            }
        }
    }

    /// <summary>
    /// Run file and worker away, budget back. The file first: a daemon that dies in between leaves a worker that nobody
    /// expects, which the next one ends.
    /// </summary>
    private void End(Instance instance)
    {
        InstanceDefinition active = instance.Active ?? instance.Stored!;
        _runs.Remove(instance.Uuid);
        try
        {
            Guarded(() => _workers.Stop(instance.Uuid));
        }
        catch
        {
            Undo(() => _runs.Write(active));
            throw;
        }

        lock (_table.Lock)
        {
            _table.GiveBack(instance);
            instance.Lost = false;
            if (instance.Stored is not null)
            {
                _table.Define(instance, instance.Stored, null);
                (instance.State, instance.Problem) = instance.Unusable is null ? (InstanceState.Stopped, null) : (InstanceState.Failed, instance.Unusable);
            }
        }
    }

    private void Forget(Instance instance, InstanceDefinition definition)
    {
        lock (_table.Lock)
        {
            _table.Drop(instance);
        }

        Note("removed", definition, string.Empty);
    }

    private void NoteStarted(Instance instance, InstanceDefinition definition)
    {
        Note("started", definition, _workers.Paths(instance.Uuid).Socket);
        _log.Started(definition.Name, definition.Uuid);
    }

    private void NoteFailed(InstanceDefinition definition, string problem)
    {
        Note("failed", definition, problem);
        _log.InstanceFailed(definition.Name, definition.Uuid, OneLine.Of(problem));
    }

    /// <summary>A step back, after a failure that the caller hears of: a second failure is logged.</summary>
    private void Undo(Action step)
    {
        try
        {
            step();
        }
        catch (BusException failure)
        {
            _log.NotUndone(failure.Message);
        }
    }

    /// <summary>What a worker host throws is a <see cref="BusException"/>; whatever else is one too from here on.</summary>
    private static void Guarded(Action call)
    {
        try
        {
            call();
        }
        catch (Exception failure) when (failure is not BusException)
        {
            throw new BusException(BusError.Failed, $"the worker host failed: {OneLine.Of(failure.Message)}; its log says more", failure);
        }
    }

    private static Cost DefaultCost(VgpuType type)
    {
        var definition = new InstanceDefinition { Uuid = Guid.Empty, Name = string.Empty, Parent = string.Empty, Type = type.Name };
        return new Cost(Setting.MemoryOf(definition, type), 1, Setting.HeadsOf(definition, type));
    }
}
