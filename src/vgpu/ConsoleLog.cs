using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Vgpu.Cli;

/// <summary>Log lines on standard error, as a service's journal takes them: <c>vgpu: warning: …</c>.</summary>
/// <param name="writer">Where lines go; one writer may serve several logs.</param>
/// <param name="minimum">The least level that is written.</param>
public sealed class ConsoleLog(TextWriter writer, LogLevel minimum) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= minimum;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }

        string level = logLevel switch
        {
            LogLevel.Information => string.Empty,
            LogLevel.Warning => "warning: ",
            LogLevel.Error or LogLevel.Critical => "error: ",
            _ => "debug: ",
        };
        string line = string.Create(CultureInfo.InvariantCulture, $"vgpu: {level}{formatter(state, exception)}");
        lock (writer)
        {
            writer.WriteLine(exception is null ? line : $"{line}: {exception}");
            writer.Flush();
        }
    }
}
