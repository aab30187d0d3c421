using Microsoft.Extensions.Logging;

namespace Vgpu.Testing;

/// <summary>Keeps the lines that were logged, and wakes who waits for one.</summary>
public sealed class ListLogger : ILogger
{
    private readonly object _gate = new();
    private readonly List<string> _lines = [];

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_gate)
            {
                return [.. _lines];
            }
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_gate)
        {
            _lines.Add(formatter(state, exception));
            Monitor.PulseAll(_gate);
        }
    }

    public string WaitFor(string part)
    {
        lock (_gate)
        {
            while (true)
            {
                if (_lines.Find(l => l.Contains(part, StringComparison.Ordinal)) is string line)
                {
                    return line;
                }

                Assert.True(Monitor.Wait(_gate, TimeSpan.FromSeconds(60)), $"never logged: {part}; but: {string.Join('\n', _lines)}");
            }
        }
    }

    public int Count(string part) => Lines.Count(l => l.Contains(part, StringComparison.Ordinal));
}
