using System.Diagnostics;

namespace Vgpu.Control.Tests;

/// <summary><c>vgpud</c> in a process of its own, started by a shell line in which <c>$VGPUD</c> is its program.</summary>
public sealed class RunningDaemon : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;

    public RunningDaemon(string shell, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("bash", ["-c", shell]) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["VGPUD"] = Path.Combine(AppContext.BaseDirectory, "vgpud", "vgpud.dll");
        _ = start.Environment.Remove("JOURNAL_STREAM");
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start)!;
    }

    public int Pid => _process.Id;

    /// <summary>The next line that it logs.</summary>
    public string? Line()
    {
        string? line = _process.StandardError.ReadLine();

        // Where the tree is, or why it is not, is another test's.
        return line?.Contains(" tree", StringComparison.Ordinal) is true ? _process.StandardError.ReadLine() : line;
    }

    /// <summary>Ends it by a signal's name; its status and the rest of what it wrote.</summary>
    public (int Status, string Log) EndBy(string signal)
    {
        using (var kill = Process.Start("kill", ["-s", signal, $"{Pid}"]))
        {
            kill.WaitForExit();
        }

        return End();
    }

    /// <summary>Waits for its end.</summary>
    public (int Status, string Log) End()
    {
        Task<string> log = _process.StandardError.ReadToEndAsync();
        Assert.True(_process.WaitForExit(s_patience), "vgpud does not end");
        return (_process.ExitCode, log.Result);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.WaitForExit();
        _process.Dispose();
    }
}
