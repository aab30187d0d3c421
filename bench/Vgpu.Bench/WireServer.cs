using System.Diagnostics;
using System.Globalization;

namespace Vgpu.Bench;

/// <summary>
/// A server of the bench device in a process of its own, pinned to one processor, and the C client that times it on the
/// same one: across processors a round trip measures the hypervisor's wake-up.
/// </summary>
internal sealed class WireServer : IDisposable
{
    private static readonly TimeSpan s_start = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly string _client;
    private readonly string _socket;
    private readonly string _processor;

    /// <summary>Starts <paramref name="command"/> with the socket's path after it, and waits until that is there.</summary>
    internal WireServer(string client, string socket, int processor, params ReadOnlySpan<string> command)
    {
        _client = client;
        _socket = socket;
        _processor = processor.ToString(CultureInfo.InvariantCulture);
        _process = Start([.. command, socket], readOutput: false);
        var waited = Stopwatch.StartNew();
        while (!File.Exists(socket))
        {
            if (_process.WaitForExit(20) || waited.Elapsed > s_start)
            {
                Dispose();
                throw new BenchmarkException($"{command[^1]} did not come up");
            }
        }
    }

    /// <summary>
    /// Runs the client once. Each of its figures' numbers by "figure.number"; a figure that the server could not answer
    /// has none.
    /// </summary>
    internal Dictionary<string, double> Measure(params ReadOnlySpan<string> options)
    {
        using Process client = Start([_client, .. options, _socket], readOutput: true);
        Dictionary<string, double> numbers = new(StringComparer.Ordinal);
        while (client.StandardOutput.ReadLine() is { } line)
        {
            string? figure = null;
            foreach (string word in line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                string[] pair = word.Split('=', 2);
                if (pair is ["figure", _])
                {
                    figure = pair[1];
                }
                else if (figure is not null && pair.Length == 2 && double.TryParse(pair[1], CultureInfo.InvariantCulture, out double value))
                {
                    numbers[$"{figure}.{pair[0]}"] = value;
                }
            }
        }

        client.WaitForExit();
        return numbers;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.WaitForExit();
        _process.Dispose();
        File.Delete(_socket);
    }

    // What they write to the error output is of no use here: a peer that loses the framing fills it.
    private Process Start(ReadOnlySpan<string> command, bool readOutput)
    {
        var start = new ProcessStartInfo("taskset", ["-c", _processor, .. command]) { RedirectStandardOutput = true, RedirectStandardError = true };
        Process process = Process.Start(start) ?? throw new BenchmarkException("taskset (package util-linux) is missing");
        process.BeginErrorReadLine();
        if (!readOutput)
        {
            process.BeginOutputReadLine();
        }

        return process;
    }
}
