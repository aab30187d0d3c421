using Vgpu.Screens;

namespace Vgpu.Viewers.Feed;

// Input on its way to the worker. Bounded: where the worker does not take it, what is new is lost, but never the release of
// something that was told is pressed. Adding is for any thread, taking for one.
internal sealed class InputQueue(Bell wake) : IInputSink
{
    /// <summary>Room for all but releases.</summary>
    internal const int Capacity = 512;

    // From here on a place where the pointer was is lost to the next.
    private const int Crowded = 32;

    private readonly Lock _lock = new();
    private readonly HeldInput _held = new();
    private readonly InputEvent[] _events = new InputEvent[Capacity + HeldInput.Most];

    // Whether the event is the last of its moment.
    private readonly bool[] _isLast = new bool[Capacity + HeldInput.Most];
    private int _first;
    private int _count;
    private bool _endsWithPointer;

    public void Send(ReadOnlySpan<InputEvent> events)
    {
        lock (_lock)
        {
            int before = _count;
            bool hasRoom = _count + events.Length <= Capacity;
            if (events.Length == 1 && TryMovePointer(events[0]))
            {
                return;
            }

            foreach (InputEvent input in events)
            {
                if (input.IsValid && (hasRoom || _held.IsRelease(input)))
                {
                    _held.Note(input);
                    int place = (_first + _count++) % _events.Length;
                    _events[place] = input;
                    _isLast[place] = false;
                }
            }

            if (_count == before)
            {
                return;
            }

            int last = (_first + _count - 1) % _events.Length;
            _isLast[last] = true;
            _endsWithPointer = _count == before + 1 && _events[last].Kind == InputKind.Pointer;
        }

        wake.Ring();
    }

    /// <summary>Takes what happened at one moment, or as much of it as fits; the number of events, 0: nothing.</summary>
    internal int Take(Span<InputEvent> events)
    {
        lock (_lock)
        {
            int taken = 0;
            while (taken < events.Length && _count > 0)
            {
                events[taken++] = _events[_first];
                bool isLast = _isLast[_first];
                _first = (_first + 1) % _events.Length;
                _count--;
                if (isLast)
                {
                    break;
                }
            }

            return taken;
        }
    }

    private bool TryMovePointer(in InputEvent input)
    {
        int last = (_first + _count - 1) % _events.Length;
        if (_count < Crowded || !_endsWithPointer || input.Kind != InputKind.Pointer || _events[last].Head != input.Head || !input.IsValid)
        {
            return false;
        }

        _events[last] = input;
        return true;
    }
}
