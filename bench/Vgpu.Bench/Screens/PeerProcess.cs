using System.Diagnostics;

namespace Vgpu.Bench.Screens;

/// <summary>A program that is measured, with a folder of its own for its sockets; what it complains of is kept for who asks.</summary>
internal sealed class PeerProcess : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly List<string> _said = [];

    internal PeerProcess(string program, IEnumerable<string> arguments, IEnumerable<string> sockets, params IEnumerable<(string Name, string Value)> environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        try
        {
            _process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new BenchmarkException($"{program} is not there");
        }

        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        for (long begun = Stopwatch.GetTimestamp(); !sockets.All(File.Exists); Pause.For(TimeSpan.FromMilliseconds(50)))
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(begun) > s_patience)
            {
                string said = Said;
                Dispose();
                throw new BenchmarkException($"{program} does not come up: {said}");
            }
        }
    }

    internal int Pid => _process.Id;

    internal string Said
    {
        get
        {
            lock (_said)
            {
                return string.Join("; ", _said);
            }
        }
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private void Keep(string? line)
    {
        lock (_said)
        {
            if (line is { Length: > 0 } && _said.Count < 20)
            {
                _said.Add(line);
            }
        }
    }
}
