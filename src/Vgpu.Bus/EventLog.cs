using Microsoft.Extensions.Logging;

namespace Vgpu.Bus;

/// <summary>The last events, and who hears of them. Its lock is a leaf and is not held while somebody hears.</summary>
internal sealed class EventLog(TimeProvider clock, ILogger log)
{
    /// <summary>As many are kept.</summary>
    internal const int Capacity = 4096;

    private readonly Lock _lock = new();
    private readonly BusEvent[] _kept = new BusEvent[Capacity];
    private long _last;
    private long _raised;
    private bool _raising;

    internal event Action<BusEvent>? Happened;

    private long First => Math.Max(1, _last - Capacity + 1);

    /// <summary>Numbers an event and keeps it; <see cref="Raise"/> tells of it.</summary>
    internal void Add(string kind, Guid? uuid, string? name, string detail)
    {
        lock (_lock)
        {
            _last++;
            _kept[_last % Capacity] = new BusEvent(_last, clock.GetUtcNow().UtcDateTime, kind, uuid, name, OneLine.Of(detail));
        }
    }

    internal IReadOnlyList<BusEvent> After(long number)
    {
        lock (_lock)
        {
            List<BusEvent> events = [];
            for (long at = Math.Max(number + 1, First); at <= _last; at++)
            {
                events.Add(_kept[at % Capacity]);
            }

            return events;
        }
    }

    /// <summary>Tells of what was added, in its order and on one thread at a time; the caller holds no lock of the bus.</summary>
    internal void Raise()
    {
        lock (_lock)
        {
            if (_raising)
            {
                return;
            }

            _raising = true;
        }

        while (Next() is { } happened)
        {
            try
            {
                Happened?.Invoke(happened);
            }
            catch (Exception failure)
            {
                log.HandlerFailed(failure);
            }
        }
    }

    private BusEvent? Next()
    {
        lock (_lock)
        {
            long next = Math.Max(_raised + 1, First);
            if (next > _last)
            {
                _raising = false;
                return null;
            }

            _raised = next;
            return _kept[next % Capacity];
        }
    }
}
