using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Vgpu.Linux;

namespace Vgpu.Viewers.Spice;

/// <summary>
/// Where SPICE clients of one screen connect. Who comes first has a process started that serves them
/// (<see cref="SpiceProgram"/>) and is handed over to it, as are all after; it is ended when nobody has been there for a while,
/// and where it ended by itself the next client has another started. Made by <see cref="SpiceDoors"/>; any thread.
/// </summary>
public sealed class SpiceDoor : IDisposable
{
    private const int ShortestRest = 1000;
    private const int LongestRest = 30_000;

    private readonly SpiceDoors _doors;
    private readonly SpiceDoorOptions _options;
    private readonly ILogger _log;
    private readonly List<SpiceEntrance> _entrances = [];
    private SpiceChild? _child;
    private long _startedAt;
    private long _restUntil = long.MinValue;
    private int _rest = ShortestRest;
    private bool _hasSaidFull;

    internal SpiceDoor(SpiceDoors doors, SpiceDoorOptions options, ILogger log) => (_doors, _options, _log) = (doors, options, log);

    /// <summary>Null: there is none. The doors' lock, as all that is internal.</summary>
    internal SpiceChild? Child => _child;

    internal IReadOnlyList<SpiceEntrance> Entrances => _entrances;

    internal bool IsClosed { get; private set; }

    internal bool IsResting => Environment.TickCount64 < _restUntil;

    /// <summary>
    /// Listens at a path, at most 107 bytes long, with mode 0600: who may connect needs no password. Throws
    /// <see cref="LinuxException"/> (EADDRINUSE: somebody listens there).
    /// </summary>
    public void ListenUnix(string path) => _doors.Change(() => _entrances.Add(SpiceEntrance.Unix(path)));

    /// <summary>Listens at a TCP address. Throws <see cref="SocketException"/> where it is taken.</summary>
    public void ListenTcp(IPEndPoint address) => _doors.Change(() => _entrances.Add(SpiceEntrance.Tcp(address)));

    /// <summary>Closes it: clients are cut off, and the process that served them ends.</summary>
    public void Dispose() => _doors.Change(Close);

    internal void Close()
    {
        IsClosed = true;
        End();
        _entrances.ForEach(entrance => entrance.Dispose());
        _entrances.Clear();
        _doors.Remove(this);
    }

    /// <summary>Somebody waits at an entrance.</summary>
    internal void Enter(SpiceEntrance entrance)
    {
        if (IsResting)
        {
            return;
        }

        try
        {
            using FileDescriptor? client = entrance.Accept();
            if (client is not null && (_child is not null || TryStart()))
            {
                _child!.LastSeen = Environment.TickCount64;
                _ = _child.Handover.TryGive(client, entrance.IsTrusted);
            }
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            _log.NotServed(_options.Name, e.Message);
            Rest();
        }
    }

    /// <summary>The process says something, or is gone.</summary>
    internal void Hear()
    {
        if (_child!.Handover.Hear() is bool isWatched)
        {
            _child.IsWatched = isWatched;
            _child.LastSeen = Environment.TickCount64;
            return;
        }

        if (Environment.TickCount64 - _startedAt > LongestRest)
        {
            _rest = ShortestRest;
        }

        _log.Died(_options.Name, _child.End());
        End();
        Rest();
    }

    /// <summary>Ends the process where it is time to; milliseconds until something is to be looked at again, -1: not by itself.</summary>
    internal int Tick(TimeSpan linger)
    {
        long now = Environment.TickCount64;
        if (_child is { IsWatched: false } && now - _child.LastSeen >= linger.TotalMilliseconds)
        {
            End();
        }

        long due = now < _restUntil ? _restUntil : _child is { IsWatched: false } ? _child.LastSeen + (long)linger.TotalMilliseconds : long.MaxValue;
        return due == long.MaxValue ? -1 : (int)Math.Clamp(due - now, 1, int.MaxValue);
    }

    internal void End()
    {
        _child?.Dispose();
        _child = null;
    }

    private bool TryStart()
    {
        if (!_doors.MakeRoom())
        {
            if (!_hasSaidFull)
            {
                _log.Full(_options.Name);
            }

            _hasSaidFull = true;
            return false;
        }

        _hasSaidFull = false;
        _startedAt = Environment.TickCount64;
        _child = _doors.Start(_options);
        return true;
    }

    // Who waits goes on waiting: whatever it is that ends processes does not get one after the other.
    private void Rest()
    {
        _restUntil = Environment.TickCount64 + _rest;
        _rest = Math.Min(_rest * 2, LongestRest);
    }
}
