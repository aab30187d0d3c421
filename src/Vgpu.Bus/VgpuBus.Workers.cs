// What workers report, as events and as ends of instances.
namespace Vgpu.Bus;

public sealed partial class VgpuBus
{
    private readonly Lock _cleanUpLock = new();
    private Task _cleanUps = Task.CompletedTask;

    // On the host's threads, which an operation that holds the gate may be waiting for: no gate is taken here.
    private void OnReported(WorkerEvent reported)
    {
        InstanceDefinition? definition;
        Instance? instance;
        lock (_table.Lock)
        {
            instance = _table.Find(reported.Uuid);
            definition = instance is null || (instance.Active ?? instance.Stored) is null ? null : instance.Definition;
        }

        if (instance is null || definition is null)
        {
            return;
        }

        if (reported.Kind == WorkerEventKind.Failed)
        {
            OnEnded(instance, definition, reported.Detail);
        }
        else
        {
            Note(KindOf(reported.Kind), definition, reported.Detail);
        }

        _events.Raise();
    }

    private void OnEnded(Instance instance, InstanceDefinition definition, string detail)
    {
        // One that serves is a later one: this came late.
        bool serves = _workers.Status(instance.Uuid) is not null;
        lock (_table.Lock)
        {
            if (instance.State == InstanceState.Starting)
            {
                instance.EarlyEnd = detail;
                return;
            }

            if (instance.State != InstanceState.Running || serves)
            {
                return;
            }

            _table.GiveBack(instance);
            (instance.State, instance.Problem) = (InstanceState.Failed, OneLine.Of(detail));
            if (instance.Stored is not null)
            {
                _table.Define(instance, instance.Stored, null);
            }
        }

        NoteFailed(definition, detail);
        lock (_cleanUpLock)
        {
            _cleanUps = _cleanUps.ContinueWith(_ => CleanUp(instance), TaskScheduler.Default);
        }
    }

    /// <summary>What a failed one left: its run file and sockets.</summary>
    private void CleanUp(Instance instance)
    {
        using var turn = new Turn(this, instance);
        if (instance.State == InstanceState.Failed)
        {
            Undo(() => _runs.Remove(instance.Uuid));
            Undo(() => Guarded(() => _workers.Stop(instance.Uuid)));
        }
    }

    private static string KindOf(WorkerEventKind kind) => kind switch
    {
        WorkerEventKind.ClientAttached => "client-attached",
        WorkerEventKind.ClientGone => "client-gone",
        WorkerEventKind.ModeSet => "mode-set",
        WorkerEventKind.Reset => "reset",
        WorkerEventKind.QuotaRefused => "quota-refused",
        WorkerEventKind.Hung => "fault",
        WorkerEventKind.Failed => "failed",
        _ => "fault",
    };
}
