// Who gets which worker, and that there is one.
namespace Vgpu.Bus.Workers;

internal sealed partial class WorkerSupervisor
{
    private const int SpawnPause = 1000;

    // How long a successor may have the processors to itself.
    private const int QuietMilliseconds = 250;

    private readonly List<ServedInstance> _waiting = [];
    private readonly List<ServedInstance> _upgrades = [];
    private int _starting;
    private long _spawnAgain;
    private long _lastSpawn;

    // Those who have a client come before those who are new.
    private void Want(ServedInstance instance)
    {
        int place = !instance.Record.HasClient ? _waiting.Count : _waiting.TakeWhile(other => other.Record.HasClient).Count();
        _waiting.Insert(place, instance);
    }

    private void Provide()
    {
        while (_waiting.Count > 0 && Spare(warm: _waiting[0].Record.HasClient) is { } link)
        {
            ServedInstance instance = _waiting[0];
            _waiting.RemoveAt(0);
            Give(link, instance);
        }

        if (_upgrades.Count > 0 && Spare(warm: true) is { IsWarm: true })
        {
            ServedInstance instance = _upgrades[0];
            _upgrades.RemoveAt(0);
            BeginUpgrade(instance);
        }

        Spawn();
    }

    // A warm one where there is a choice; who has a client waits for a warm one only as long as none is ready at all.
    private WorkerLink? Spare(bool warm)
    {
        WorkerLink? cold = null;
        foreach (WorkerLink link in _links)
        {
            if (link is { IsKnown: true, IsEnding: false, Instance: null, Told: null })
            {
                if (link.IsWarm)
                {
                    return link;
                }

                cold = link;
            }
        }

        return warm ? null : cold;
    }

    private void Give(WorkerLink link, ServedInstance instance)
    {
        link.Instance = instance;
        instance.Link = link;
        Shares.Rejoin(instance.Record);
        instance.Since = instance.Mode == ServeMode.Fresh ? Environment.TickCount64 : instance.Since;
        if (!instance.Record.SendTo(link.Channel) || !link.Channel.TrySend(WorkerMessageKind.Serve, [(byte)instance.Mode, .. BitConverter.GetBytes(instance.PeakMemory)]))
        {
            Kill(link);
        }
    }

    private static void BeginUpgrade(ServedInstance instance)
    {
        instance.Phase = ServedPhase.Yielding;
        instance.Since = Environment.TickCount64;
        if (!instance.Link!.Channel.TrySend(WorkerMessageKind.Yield))
        {
            Kill(instance.Link);
        }
    }

    private void Spawn()
    {
        long now = Environment.TickCount64;
        if (_adoption is not null || now < _spawnAgain || (_waiting.Count == 0 && _upgrades.Count == 0 && IsTakenOver(now)))
        {
            return;
        }

        if (_starting > 0 && now - _lastSpawn > _options.StartTimeout.TotalMilliseconds)
        {
            _starting = 0; // It has died before it connected.
        }

        _spawnAgain = 0;
        int idle = _links.Count(link => link is { IsEnding: false, Instance: null, Told: null });
        int wanted = _options.Spares + Math.Min(_waiting.Count + _upgrades.Count, Environment.ProcessorCount);
        for (int missing = wanted - idle - _starting; missing > 0; missing--)
        {
            try
            {
                WorkerSpawner.Start(_options);
                _starting++;
                _lastSpawn = now;
            }
            catch (IOException e)
            {
                _log.SpawnFailed(e.Message);
                _spawnAgain = now + SpawnPause;
                FailWaiting(e.Message);
                return;
            }
        }
    }

    // A VM waits for somebody who is just taking over; a process that begins beside him would take milliseconds from both.
    private bool IsTakenOver(long now)
    {
        foreach (WorkerLink link in _links)
        {
            if (link is { IsEnding: false, Instance: { Phase: ServedPhase.Starting, Record.HasClient: true } instance } && now - instance.Since < QuietMilliseconds)
            {
                return true;
            }
        }

        return false;
    }

    // New instances are told at once; those that have a client go on waiting for a worker.
    private void FailWaiting(string why)
    {
        foreach (ServedInstance instance in _waiting.Where(instance => instance is { Mode: ServeMode.Fresh, Started: not null }).ToArray())
        {
            instance.Fail(new BusException(BusError.Failed, why));
            End(instance);
        }
    }
}
