using Microsoft.Extensions.Logging;

namespace Vgpu.VfioUser.Tests.Resuming;

/// <summary>What a served process has to complain of.</summary>
internal sealed class StandardError : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            Console.Error.WriteLine(formatter(state, exception) + exception);
        }
    }
}
