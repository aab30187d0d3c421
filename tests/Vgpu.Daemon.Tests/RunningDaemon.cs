using System.Diagnostics;
using System.Globalization;
using Vgpu.Api;
using Vgpu.Linux;
using Vgpu.Testing;

namespace Vgpu.Daemon.Tests;

/// <summary>
/// A place with folders of its own in which <c>vgpud</c> runs as on a host, one process after the other. Whatever is
/// started there, workers too, holds the place's lock for as long as it lives: none can be left without this noticing.
/// </summary>
internal sealed class RunningDaemon : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private static readonly string s_program = Path.Combine(AppContext.BaseDirectory, "vgpud", "vgpud.dll");

    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _mounts = [];
    private Process? _process;
    private int _starts;

    private readonly string _options;

    /// <summary>Nothing runs yet.</summary>
    /// <param name="options">Words of the daemon's own; it shows no screens unless this is given.</param>
    public RunningDaemon(string options = "--no-viewers")
    {
        _options = options;
        foreach (string folder in (string[])[State, Run])
        {
            _ = Directory.CreateDirectory(folder);
        }
    }

    public string State => _folder.File("state");

    public string Run => _folder.File("run");

    public string Tree => _folder.File("tree");

    public string Definitions => Path.Combine(State, "mdevctl.d", "software0");

    public string SetAside => Path.Combine(State, "set-aside");

    public string Socket => Path.Combine(Run, DaemonPaths.Socket);

    /// <summary>The folder of everything here.</summary>
    public string Folder => Path.GetDirectoryName(Run)!;

    public int Pid => _process!.Id;

    /// <summary>The process that shows screens; 0 where there never was one.</summary>
    public int Viewers => FileLock.LastHolder(ViewerPaths.LockOf(Path.Combine(Run, ViewerPaths.Folder)));

    /// <summary>What the daemon of now has logged, and its workers with it.</summary>
    public IReadOnlyList<string> Log => File.ReadAllLines(LogPath);

    private string LogPath => _folder.File($"log-{_starts}");

    private string Held => _folder.File("held");

    /// <summary>Starts one and waits until it is ready.</summary>
    /// <param name="before">Words before the program's, such as <c>prlimit --nofile=64</c>; these must become the program.</param>
    public RunningDaemon Start(string before = "")
    {
        Begin(before);
        Workplace.Eventually(() => HasEnded || Log.Any(line => line.StartsWith("vgpud: ready", StringComparison.Ordinal)), "the daemon does not get ready");
        Assert.False(HasEnded, string.Join('\n', Log));
        using ApiClient client = Client();
        _ = client.Instances();
        return this;
    }

    /// <summary>Starts one that is not expected to get ready; its exit status and log.</summary>
    public (int Status, IReadOnlyList<string> Log) Fail(string before = "")
    {
        Begin(before);
        Assert.True(_process!.WaitForExit(s_patience), "the daemon does not end");
        return (_process.ExitCode, Log);
    }

    /// <summary>A second one beside that of now; its exit status and what it wrote.</summary>
    public static (int Status, string Output) Second(string state, string run, string tree, params string[] more) =>
        Shell.Run("timeout", ["30", "dotnet", s_program, "--state", state, "--run", run, "--tree", tree, .. more]);

    public ApiClient Client() => new(Socket, s_patience);

    /// <summary>The command line, with this daemon.</summary>
    public Cli.Tests.Outcome Vgpu(string verb, params string[] words) => Cli.Tests.Cli.Run([verb, .. words, "--socket", Socket]);

    /// <summary>The process that serves an instance, once it has told how it is.</summary>
    public int WorkerOf(string name)
    {
        using ApiClient client = Client();
        int? pid = null;
        Workplace.Eventually(() => (pid = client.Find(name).Worker?.Pid) is not null, $"nobody serves {name}");
        return pid!.Value;
    }

    public void Signal(string signal) => Workplace.Signal(Pid, signal);

    /// <summary>SIGKILL, and gone.</summary>
    public void Kill()
    {
        Signal("KILL");
        _process!.WaitForExit();
    }

    /// <summary>SIGTERM; it must end as one that was asked to.</summary>
    public void End()
    {
        Signal("TERM");
        Assert.True(_process!.WaitForExit(s_patience), "the daemon does not end");
        Assert.True(_process.ExitCode == 0, $"status {_process.ExitCode}: {string.Join('\n', Log)}");
    }

    /// <summary>Workers that live, spare ones too.</summary>
    public IReadOnlyList<int> Workers => Workplace.WorkersIn(Run);

    /// <summary>Ends the daemon and asserts that nothing of it and of its instances is left: process, socket, folder, mount.</summary>
    public void AssertNothingLeft()
    {
        End();
        Assert.Equal(0, Shell.Run("flock", "--wait", "30", Held, "true").Status);
        Workplace.Eventually(() => Workers.Count == 0, "a worker is left");
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(Run, "instances")));
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(Run, "*", SearchOption.AllDirectories), path => path.EndsWith(".sock", StringComparison.Ordinal));
        Assert.DoesNotContain(Tree, File.ReadAllText("/proc/self/mounts"), StringComparison.Ordinal);
    }

    /// <summary>Gives the state folder a file system of its own of this size.</summary>
    public void MountState(int kibibytes)
    {
        Succeed("mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={kibibytes}k"), "vgpu-test", State);
        _mounts.Add(State);
    }

    public void RemountState(string option) => Succeed("mount", "-o", $"remount,{option}", State);

    public void Dispose()
    {
        if (_process is { HasExited: false })
        {
            Kill();
        }

        _process?.Dispose();
        Workplace.Eventually(() =>
        {
            foreach (int pid in Workers)
            {
                Workplace.Signal(pid, "KILL");
            }

            return Shell.Run("flock", "--nonblock", Held, "true").Status == 0;
        }, "a worker does not end");
        foreach (string mount in _mounts.Append(Tree).Where(path => File.ReadAllText("/proc/self/mounts").Contains(path, StringComparison.Ordinal)))
        {
            Succeed("umount", "--lazy", mount);
        }

        _folder.Dispose();
    }

    private bool HasEnded => _process!.HasExited;

    private static void Succeed(string program, params string[] arguments)
    {
        (int status, string output) = Shell.Run(program, arguments);
        Assert.True(status == 0, $"{program} {string.Join(' ', arguments)}: {output}");
    }

    private void Begin(string before)
    {
        _process?.Dispose();
        _starts++;
        string script = $"exec 9>>'{Held}' 2>'{LogPath}' >&2; flock --shared 9; exec {before} dotnet '{s_program}' --state '{State}' --run '{Run}' --tree '{Tree}' {_options}";
        _process = Process.Start(new ProcessStartInfo("bash", ["-c", script]))!;
        Workplace.Eventually(() => File.Exists(LogPath));
    }
}
