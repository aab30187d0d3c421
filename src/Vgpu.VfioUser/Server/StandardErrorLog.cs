using Microsoft.Extensions.Logging;

namespace Vgpu.VfioUser.Server;

/// <summary>Lines of information and worse on standard error, for a process that brought no logger. Any thread.</summary>
internal sealed class StandardErrorLog : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            string level = logLevel == LogLevel.Information ? string.Empty : $"{logLevel.ToString().ToLowerInvariant()}: ";
            Console.Error.WriteLine(level + formatter(state, exception) + (exception is null ? string.Empty : $": {exception}"));
        }
    }
}
