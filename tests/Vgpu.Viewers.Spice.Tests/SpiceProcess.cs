using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Testing;
using Vgpu.Viewers.Feed;

namespace Vgpu.Viewers.Spice.Tests;

/// <summary>
/// <see cref="SpiceProgram"/> in a process of its own, over a mirror of the test's screen: this test assembly, started
/// again with a variable set, before any test runs.
/// </summary>
internal sealed class SpiceProcess : IDisposable
{
    private const string Variable = "VGPU_TEST_SPICE";
    private const string Ready = "SPICE at ";

    private readonly Process _process;

    private static string Program => Path.ChangeExtension(typeof(SpiceProcess).Assembly.Location, null);

    /// <summary>In a mount name space of its own where <paramref name="prepare"/> is a command that changes it first.</summary>
    public SpiceProcess(IEnumerable<string> args, string? prepare = null)
    {
        IEnumerable<string> command = prepare is null ? [Program] : ["unshare", "--mount", "sh", "-c", prepare + " && exec \"$0\"", Program];
        var start = new ProcessStartInfo(command.First(), command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[Variable] = string.Join('\n', args);
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) => Errors.Write(line.Data);
        _process.OutputDataReceived += (_, line) => Said.Write(line.Data);
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        Uri = Said.First(Ready)?[Ready.Length..];
    }

    /// <summary>What others start, with the program's arguments behind it.</summary>
    public static IReadOnlyList<string> Command => ["env", Variable + "=", Program];

    public Lines Errors { get; } = new();

    public Lines Said { get; } = new();

    /// <summary>What a client is told; null: it did not come so far.</summary>
    public string? Uri { get; }

    public bool IsRunning => !_process.HasExited;

    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Its standard input ends; its exit status.</summary>
    public int End()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

#pragma warning disable CA2255 // The only way in before the test runner's own entry point.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Begin()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { } args)
        {
            return;
        }

        int status = SpiceProgram.Run(args.Length > 0 ? args.Split('\n') : Environment.GetCommandLineArgs()[1..], path =>
        {
            RemoteScreen mirror = RemoteScreen.Connect(path, NullLogger.Instance);
            return (mirror.Screen, mirror);
        }, new ConsoleLogger());
        Environment.Exit(status);
    }

    private sealed class ConsoleLogger : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Console.WriteLine(formatter(state, exception) + exception);
    }
}
