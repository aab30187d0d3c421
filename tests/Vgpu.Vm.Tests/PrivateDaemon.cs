using System.Diagnostics;
using System.Net.Sockets;
using Vgpu.Api;
using Vgpu.Testing;

namespace Vgpu.Vm.Tests;

/// <summary>A <c>vgpud</c> of this test's own in folders of its own, and the command line that asks it; all of it ends with this.</summary>
public sealed class PrivateDaemon : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _log = [];
    private readonly bool _withViewers;
    private Process _process;

    /// <summary>Returns once it is ready.</summary>
    /// <param name="withViewers">It shows screens by VNC, browser and SPICE, which takes a little longer to be there.</param>
    public PrivateDaemon(bool withViewers = false)
    {
        _withViewers = withViewers;
        File.WriteAllText(Program, $"""
            #!/bin/sh
            export VGPU_SOCKET='{Socket}'
            exec dotnet '{Path.Combine(AppContext.BaseDirectory, "vgpu", "vgpu.dll")}' "$@"

            """);
        File.SetUnixFileMode(Program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        (_process, Client) = Begin();
    }

    /// <summary>A program <c>vgpu</c> that asks this daemon, whatever its environment.</summary>
    public string Program => _folder.File("vgpu");

    /// <summary>Where the tree is mounted.</summary>
    public string Tree => _folder.File("tree");

    public ApiClient Client { get; private set; }

    /// <summary>What it and those before it have logged so far.</summary>
    public string Log
    {
        get
        {
            lock (_log)
            {
                return string.Join('\n', _log);
            }
        }
    }

    private string RunFolder => _folder.File("run");

    private string Socket => Path.Combine(RunFolder, DaemonPaths.Socket);

    /// <summary>A file in its folder.</summary>
    public string PathOf(string name) => _folder.File(name);

    /// <summary>What <c>vgpu</c> prints; it must succeed.</summary>
    public string Run(params IEnumerable<string> words) => RunOn(string.Empty, words);

    /// <summary>The same, with this as its standard input.</summary>
    public string RunOn(string input, params IEnumerable<string> words)
    {
        using Process vgpu = Process.Start(new ProcessStartInfo(Program, words) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = vgpu.StandardError.ReadToEndAsync();
        vgpu.StandardInput.Write(input);
        vgpu.StandardInput.Close();
        string output = vgpu.StandardOutput.ReadToEnd();
        vgpu.WaitForExit();
        Assert.True(vgpu.ExitCode == 0, $"vgpu {string.Join(' ', words)}: {errors.Result}{output}; vgpud: {Log}");
        return output;
    }

    /// <summary>The lines that a Prometheus reads.</summary>
    public string[] Metrics()
    {
        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancel) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), cancel);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        return http.GetStringAsync(new Uri("http://vgpud/metrics")).GetAwaiter().GetResult().Split('\n');
    }

    /// <summary>Kills it, and returns once another is ready in its place.</summary>
    public void KillAndReplace()
    {
        End("KILL");
        (_process, Client) = Begin();
    }

    public void Dispose()
    {
        End("TERM");
        Workplace.EndWorkers(RunFolder);
        _folder.Dispose();
    }

    private (Process Process, ApiClient Client) Begin()
    {
        string[] words = [Path.Combine(AppContext.BaseDirectory, "vgpud", "vgpud.dll"), "--state", _folder.File("state"), "--run", RunFolder, "--tree", Tree, .. _withViewers ? [] : (string[])["--no-viewers"]];
        using var ready = new ManualResetEventSlim();
        Process process = Process.Start(new ProcessStartInfo("dotnet", words) { RedirectStandardError = true })!;
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_log)
            {
                _log.Add(line.Data ?? "vgpud: ended");
            }

            if (line.Data is null || line.Data.StartsWith("vgpud: ready, in ", StringComparison.Ordinal))
            {
                ready.Set();
            }
        };
        process.BeginErrorReadLine();
        if (!ready.Wait(TimeSpan.FromSeconds(60)) || process.HasExited)
        {
            process.Kill();
            Assert.Fail($"vgpud does not get ready: {Log}");
        }

        return (process, new ApiClient(Socket));
    }

    private void End(string signal)
    {
        Client.Dispose();
        Workplace.Signal(_process.Id, signal);
        Assert.True(_process.WaitForExit(TimeSpan.FromSeconds(60)), $"vgpud does not end: {Log}");
        _process.Dispose();
    }
}
