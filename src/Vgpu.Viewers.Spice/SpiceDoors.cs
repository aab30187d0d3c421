using Microsoft.Extensions.Logging;
using Vgpu.Linux;

namespace Vgpu.Viewers.Spice;

/// <summary>
/// Waits for SPICE clients of many screens, on one thread, and speaks not a word of the protocol: each screen that somebody
/// looks at has a process of its own for that. Any thread.
/// </summary>
public sealed class SpiceDoors : IDisposable
{
    private readonly SpiceDoorsOptions _options;
    private readonly ILogger _log;
    private readonly Lock _lock = new();
    private readonly EventFd _wake = EventFd.Create();
    private readonly PollSet _poll = new();
    private readonly List<SpiceDoor> _doors = [];
    private readonly List<(SpiceDoor Door, SpiceEntrance? Entrance)> _polled = [];
    private readonly Thread _thread;
    private bool _isEnding;

    /// <summary>Nobody can connect before a door is opened.</summary>
    public SpiceDoors(SpiceDoorsOptions options, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(log);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MostProcesses, 1);
        (_options, _log) = (options, log);
        _thread = new Thread(Run) { Name = "spice doors", IsBackground = true };
        _thread.Start();
    }

    /// <summary>A door that listens nowhere yet.</summary>
    public SpiceDoor Open(SpiceDoorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var door = new SpiceDoor(this, options, _log);
        Change(() => _doors.Add(door));
        return door;
    }

    /// <summary>Closes all doors.</summary>
    public void Dispose()
    {
        Change(() =>
        {
            _isEnding = true;
            _doors.ToList().ForEach(door => door.Close());
        });
        _thread.Join();
        _wake.Dispose();
    }

    /// <summary>Does what changes who is waited for.</summary>
    internal void Change(Action action)
    {
        lock (_lock)
        {
            if (!_isEnding)
            {
                action();
                _wake.Signal();
            }
        }
    }

    // What follows is called with the lock held.
    internal void Remove(SpiceDoor door) => _doors.Remove(door);

    /// <summary>Whether another process may be started; the one that nobody has looked at for longest has to go for it.</summary>
    internal bool MakeRoom()
    {
        if (_doors.Count(door => door.Child is not null) < _options.MostProcesses)
        {
            return true;
        }

        SpiceDoor? idle = _doors.Where(door => door.Child is { IsWatched: false }).MinBy(door => door.Child!.LastSeen);
        idle?.End();
        return idle is not null;
    }

    internal SpiceChild Start(SpiceDoorOptions door) => SpiceChild.Start(door, _options);

    private void Run()
    {
        while (true)
        {
            int timeout;
            lock (_lock)
            {
                if (_isEnding)
                {
                    return;
                }

                timeout = Prepare();
            }

            // What is closed meanwhile is looked for again below, as its number may be another's now.
            bool isAny = _poll.Wait(timeout);
            _ = _wake.Take();
            lock (_lock)
            {
                for (int i = 0; isAny && i < _polled.Count; i++)
                {
                    if (_poll.Ready(i + 1) != PollEvents.None)
                    {
                        Serve(_polled[i].Door, _polled[i].Entrance);
                    }
                }
            }
        }
    }

    private static void Serve(SpiceDoor door, SpiceEntrance? entrance)
    {
        if (door.IsClosed)
        {
            return;
        }

        if (entrance is not null)
        {
            door.Enter(entrance);
        }
        else if (door.Child is not null)
        {
            door.Hear();
        }
    }

    private int Prepare()
    {
        int timeout = -1;
        _poll.Clear();
        _polled.Clear();
        _ = _poll.Add(_wake.Descriptor, PollEvents.POLLIN);
        foreach (SpiceDoor door in _doors)
        {
            int due = door.Tick(_options.Linger);
            timeout = due >= 0 && (timeout < 0 || due < timeout) ? due : timeout;
            if (door.Child is { } child)
            {
                _ = _poll.Add(child.Handover.Descriptor, PollEvents.POLLIN);
                _polled.Add((door, null));
            }

            foreach (SpiceEntrance entrance in door.IsResting ? [] : door.Entrances)
            {
                _ = _poll.Add(entrance.Descriptor, PollEvents.POLLIN);
                _polled.Add((door, entrance));
            }
        }

        return timeout;
    }
}
