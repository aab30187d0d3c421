using Microsoft.Extensions.Logging;

namespace Vgpu.Vfio;

/// <summary>
/// A logger that puts a device's name before each line, as dev_printk does: what is logged deep below says what went
/// wrong, and whoever composes says to whom.
/// </summary>
public sealed class NamedLogger : ILogger
{
    private readonly ILogger _inner;
    private readonly string _name;

    private NamedLogger(ILogger inner, string name)
    {
        _inner = inner;
        _name = name;
    }

    /// <summary>Lines to <paramref name="logger"/> with this name before them, once: a logger that does so already stays as it is.</summary>
    public static ILogger For(ILogger logger, string name)
    {
        ArgumentNullException.ThrowIfNull(logger);
        return logger is NamedLogger named && named._name == name ? named : new NamedLogger(logger, name);
    }

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => _inner.BeginScope(state);

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => _inner.IsEnabled(logLevel);

    /// <inheritdoc/>
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (_inner.IsEnabled(logLevel))
        {
            _inner.Log(logLevel, eventId, state, exception, (s, e) => $"{_name}: {formatter(s, e)}");
        }
    }
}
