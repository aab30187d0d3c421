using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Vgpu.Cli;

/// <summary>
/// Log lines on standard error: <c>vgpu: warning: …</c>, or with their level in sd-daemon(3)'s way where journald reads
/// (<c>$JOURNAL_STREAM</c>). The command line's and the daemon's.
/// </summary>
/// <param name="writer">Where lines go; one writer may serve several logs.</param>
/// <param name="minimum">The least level that is written.</param>
/// <param name="program">What a line begins with, but for journald, which knows.</param>
public sealed class ConsoleLog(TextWriter writer, LogLevel minimum, string program = "vgpu") : ILogger
{
    private readonly bool _journal = Environment.GetEnvironmentVariable("JOURNAL_STREAM") is { Length: > 0 };

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= minimum;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }

        (string number, string word) = logLevel switch
        {
            LogLevel.Information => ("<6>", string.Empty),
            LogLevel.Warning => ("<4>", "warning: "),
            LogLevel.Error or LogLevel.Critical => ("<3>", "error: "),
            _ => ("<7>", "debug: "),
        };
        string begin = _journal ? number : $"{program}: {word}";
        string line = string.Create(CultureInfo.InvariantCulture, $"{begin}{formatter(state, exception)}");
        lock (writer)
        {
            writer.WriteLine(exception is null ? line : $"{line}: {exception}");
            writer.Flush();
        }
    }
}
