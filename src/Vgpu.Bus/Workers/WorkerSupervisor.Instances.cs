// Instances: how they get a worker, keep one, and end.
using System.Text;
using Vgpu.Linux;

namespace Vgpu.Bus.Workers;

internal sealed partial class WorkerSupervisor
{
    internal void StartInstance(InstanceDefinition definition, InstancePaths paths, TaskCompletionSource done)
    {
        if (_instances.ContainsKey(definition.Uuid))
        {
            done.TrySetException(new BusException(BusError.Busy, $"{definition.Name} runs already"));
            return;
        }

        try
        {
            DescriptorRoom.Check(_instances.Count);
            (FileDescriptor screen, IReadOnlyList<FileDescriptor> listeners) = InstanceSockets.Listen(paths, definition.Owner);
            var instance = new ServedInstance(new InstanceRecord(definition, screen, listeners), paths) { Started = done };
            Join(instance);
            _instances[definition.Uuid] = instance;
            Want(instance);
        }
        catch (BusException e)
        {
            done.TrySetException(e);
        }
    }

    private void Join(ServedInstance instance)
    {
        try
        {
            Shares.Join(instance.Record);
        }
        catch
        {
            instance.Dispose();
            throw;
        }
    }

    internal void Configure(InstanceDefinition definition, TaskCompletionSource done)
    {
        if (!_instances.TryGetValue(definition.Uuid, out ServedInstance? instance))
        {
            done.TrySetException(new BusException(BusError.NotFound, $"{definition.Name} does not run"));
        }
        else if (instance.Phase != ServedPhase.Serving || instance.Configured is not null)
        {
            done.TrySetException(new BusException(BusError.Busy, $"{definition.Name} is changing hands; try again"));
        }
        else
        {
            try
            {
                InstanceSockets.Pass(instance.Paths, definition.Owner);
            }
            catch (BusException e)
            {
                done.TrySetException(e);
                return;
            }

            (instance.Configured, instance.Pending) = (done, definition);
            if (!instance.Link!.Channel.TrySend(WorkerMessageKind.Configure, InstanceText.Format(definition)))
            {
                Kill(instance.Link);
            }
        }
    }

    internal void Upgrade(ServedInstance instance, TaskCompletionSource done)
    {
        if (instance.Phase != ServedPhase.Serving || instance.Started is not null)
        {
            done.TrySetException(new BusException(BusError.Busy, $"{instance.Record.Definition.Name} is changing hands; try again"));
            return;
        }

        // Those that wait were started from the program as it was.
        foreach (WorkerLink link in _links.Where(link => link.Instance is null && link.Told is null))
        {
            Kill(link);
        }

        instance.Started = done;
        _upgrades.Add(instance);
    }

    internal void Stop(ServedInstance instance, TaskCompletionSource done)
    {
        instance.Stopped = done;
        instance.Phase = ServedPhase.Stopping;
        instance.Since = Environment.TickCount64;
        _waiting.Remove(instance);
        _upgrades.Remove(instance);
        if (instance.Link is not { } link)
        {
            End(instance);
        }
        else if (!link.Channel.TrySend(WorkerMessageKind.Stop))
        {
            Kill(link);
        }
    }

    private void BeginServing(WorkerLink link, ServedInstance instance)
    {
        if (instance.Phase == ServedPhase.Stopping)
        {
            return;
        }

        instance.Begin();
        instance.HasYielded = false;
        instance.Record.Remove(InstanceRecord.StateFile);
        if (instance.Mode != ServeMode.Fresh)
        {
            long gap = Environment.TickCount64 - instance.Since;
            _log.WorkerTookOver(link.Process.Pid, instance.Record.Definition.Name, gap);
        }

        instance.Started?.TrySetResult();
        instance.Started = null;
    }

    private void Refuse(ServedInstance instance, string why)
    {
        instance.Link = null;
        if (instance.Mode is ServeMode.Load or ServeMode.Restore)
        {
            // What it was to begin with does not suit it: with less, then.
            instance.Mode = instance.Mode == ServeMode.Load ? ServeMode.Restore : ServeMode.Reset;
            Want(instance);
            return;
        }

        var refusal = new BusException(BusError.Failed, why);
        bool wasStarting = instance.Started is not null && instance.Mode == ServeMode.Fresh;
        instance.Fail(refusal);
        End(instance);
        if (!wasStarting)
        {
            Tell(instance, WorkerEventKind.Failed, why);
        }
    }

    private void EndConfigure(ServedInstance instance, ReadOnlySpan<byte> answer)
    {
        if (instance.Pending is not { } definition)
        {
            throw new InvalidDataException("it answers what it was not asked");
        }

        if (answer.IsEmpty)
        {
            instance.Define(definition);
            Shares.Change(definition);
            instance.Configured?.TrySetResult();
        }
        else if (answer[0] == WorkerChannel.NeedsAnother && !instance.Record.HasClient)
        {
            // Nobody is attached: another worker makes another device.
            instance.Define(definition);
            Shares.Change(definition);
            (instance.Started, instance.Mode, instance.HasYielded) = (instance.Configured, ServeMode.Fresh, true);
            Kill(instance.Link!);
        }
        else if (answer[0] == WorkerChannel.NeedsAnother)
        {
            instance.Configured?.TrySetException(new BusException(
                BusError.Busy, $"{definition.Name} can change that only while no VM is attached; shut the VM down or unplug the vGPU first"));
        }
        else
        {
            BusError error = answer[0] > (byte)BusError.Failed ? BusError.Failed : (BusError)answer[0];
            instance.Configured?.TrySetException(new BusException(error, Encoding.UTF8.GetString(answer[1..])));
        }

        instance.Configured = null;
        instance.Pending = null;
    }

    // Its worker has ended.
    private void Lose(WorkerLink link, ServedInstance instance)
    {
        instance.Configured?.TrySetException(new BusException(BusError.Failed, "its worker died meanwhile; try again"));
        (instance.Configured, instance.Pending) = (null, null);
        if (instance.Phase == ServedPhase.Stopping)
        {
            End(instance);
            return;
        }

        Shares.Bury(instance.Record.Definition);
        instance.Successions++;
        bool deliberate = instance.HasYielded;
        instance.HasYielded = false;
        if (!deliberate)
        {
            _log.WorkerDied(link.Process.Pid, instance.Record.Definition.Name);
            Tell(instance, WorkerEventKind.Fault, $"worker {link.Process.Pid} died; another takes over");
            instance.Since = Environment.TickCount64;
            if (instance.AfterDeath() is not { } mode)
            {
                _log.GivenUp(instance.Record.Definition.Name, ServedInstance.DeathsUntilGivenUp);
                Refuse(instance, $"ended {ServedInstance.DeathsUntilGivenUp} workers in a row; see the daemon's log");
                return;
            }

            instance.Mode = mode;
        }

        instance.Phase = ServedPhase.Starting;
        Want(instance);
    }

    private void End(ServedInstance instance)
    {
        _waiting.Remove(instance);
        _upgrades.Remove(instance);
        _instances.TryRemove(instance.Record.Definition.Uuid, out _);
        Shares.Remove(instance.Record.Definition);
        TaskCompletionSource? stopped = instance.Stopped;
        instance.Fail(new BusException(BusError.Failed, $"{instance.Record.Definition.Name} was stopped"));
        instance.Dispose();
        stopped?.TrySetResult();
    }
}
