using System.Diagnostics.CodeAnalysis;
using Vgpu.Screens;

namespace Vgpu.Viewers.Spice.Tests;

/// <summary>The guest's end of what people do: keeps it, and wakes who waits for it.</summary>
internal sealed class RecordingSink : IInputSink
{
    private readonly List<InputEvent> _events = [];

    public void Send(ReadOnlySpan<InputEvent> events)
    {
        lock (_events)
        {
            _events.AddRange(events);
            Monitor.PulseAll(_events);
        }
    }

    /// <summary>Whether such an event comes within the time.</summary>
    public bool TryWait(Predicate<InputEvent> isIt, int milliseconds, [NotNullWhen(true)] out InputEvent? found)
    {
        long end = Environment.TickCount64 + milliseconds;
        lock (_events)
        {
            while (true)
            {
                int index = _events.FindIndex(isIt);
                found = index < 0 ? null : _events[index];
                if (found is not null || end - Environment.TickCount64 is var left && left <= 0)
                {
                    return found is not null;
                }

                Monitor.Wait(_events, (int)left);
            }
        }
    }

    public InputEvent WaitFor(InputEvent expected) => WaitFor(seen => seen == expected, expected.ToString());

    public InputEvent WaitFor(Predicate<InputEvent> isIt, string what)
    {
        Assert.True(TryWait(isIt, 20_000, out InputEvent? found), $"never came: {what}; but: {this}");
        return found.Value;
    }

    public override string ToString()
    {
        lock (_events)
        {
            return string.Join(", ", _events);
        }
    }
}
