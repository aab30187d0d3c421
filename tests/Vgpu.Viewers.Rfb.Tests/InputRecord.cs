using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb.Tests;

/// <summary>Keeps what came to the screen, and wakes who waits for it.</summary>
internal sealed class InputRecord : IInputSink
{
    private readonly object _gate = new();
    private readonly List<InputEvent[]> _reports = [];

    public void Send(ReadOnlySpan<InputEvent> events)
    {
        lock (_gate)
        {
            _reports.Add(events.ToArray());
            Monitor.PulseAll(_gate);
        }
    }

    internal IReadOnlyList<InputEvent[]> Reports
    {
        get
        {
            lock (_gate)
            {
                return [.. _reports];
            }
        }
    }

    internal IReadOnlyList<InputEvent[]> WaitFor(int count)
    {
        lock (_gate)
        {
            while (_reports.Count < count)
            {
                Assert.True(Monitor.Wait(_gate, TimeSpan.FromSeconds(20)), $"{_reports.Count} reports came, not {count}");
            }

            return [.. _reports];
        }
    }
}
