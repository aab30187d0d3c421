namespace Vgpu.Viewers.Rfb;

/// <summary>
/// How many updates may be on their way to a viewer that takes them continuously: as many as keep the line busy, and no more,
/// by how long each takes to be acknowledged (rfbproto, "ServerFence"). Any thread.
/// </summary>
internal sealed class Pacing
{
    internal const int MaxWindow = 32;

    private const int FirstWindow = 2;
    private const long SlackMilliseconds = 40;

    private readonly Lock _lock = new();
    private readonly long[] _sentAt = new long[MaxWindow];
    private uint _sent;
    private uint _acknowledged;
    private int _window = FirstWindow;
    private long _shortest = long.MaxValue;

    /// <summary>Whether another update may go.</summary>
    internal bool IsOpen
    {
        get
        {
            lock (_lock)
            {
                return _sent - _acknowledged < _window;
            }
        }
    }

    /// <summary>Whether one is on its way that was not acknowledged yet.</summary>
    internal bool IsAnyOnTheWay
    {
        get
        {
            lock (_lock)
            {
                return _sent != _acknowledged;
            }
        }
    }

    /// <summary>An update goes: the number that its fence carries.</summary>
    internal uint Sent(long now)
    {
        lock (_lock)
        {
            _sentAt[_sent % MaxWindow] = now;
            return ++_sent;
        }
    }

    /// <summary>This one's fence came back; whether that is what was waited for. Numbers that are not on their way mean nothing.</summary>
    internal bool Acknowledge(uint number, long now)
    {
        lock (_lock)
        {
            uint onTheWay = _sent - _acknowledged;
            uint ahead = number - _acknowledged;
            if (ahead == 0 || ahead > onTheWay)
            {
                return false;
            }

            bool wasFull = onTheWay >= _window;
            long took = now - _sentAt[(number - 1) % MaxWindow];
            _acknowledged = number;
            _shortest = Math.Min(_shortest, took);
            if (took > (2 * _shortest) + SlackMilliseconds)
            {
                _window = Math.Max(FirstWindow, _window / 2);
            }
            else if (wasFull && _window < MaxWindow)
            {
                _window++;
            }

            return wasFull;
        }
    }
}
