using System.Diagnostics;
using Vgpu.Api;
using Vgpu.Linux;

namespace Vgpu.Bench;

/// <summary>A daemon of a benchmark's own, with folders of its own; gone with all of its vGPUs when it is disposed.</summary>
internal sealed class BenchDaemon : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vgpu-bench-");
    private readonly Process _process;

    /// <summary>Starts the program in a folder, and waits until it answers.</summary>
    internal BenchDaemon(string program)
    {
        string Folder(string name) => Path.Combine(_folder.FullName, name);
        _process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(program, "vgpud.dll"), "--state", Folder("state"), "--run", Folder("run"), "--tree", Folder("tree")])
        {
            RedirectStandardError = true,
        }) ?? throw new BenchmarkException("the daemon can't be started");
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        Client = new ApiClient(Path.Combine(Folder("run"), "vgpud.sock"));
        long begun = Stopwatch.GetTimestamp();
        while (!IsUp())
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(begun) > s_patience)
            {
                throw new BenchmarkException("the daemon does not come up; try it by hand: ./vgpu daemon");
            }

            Pause.For(TimeSpan.FromMilliseconds(50));
        }
    }

    internal ApiClient Client { get; }

    internal int Pid => _process.Id;

    /// <summary>The process that shows its screens, once it is there; 0 before.</summary>
    internal int Viewers => FileLock.LastHolder(ViewerPaths.LockOf(Path.Combine(_folder.FullName, "run", ViewerPaths.Folder)));

    public void Dispose()
    {
        foreach (Instance instance in Client.Instances())
        {
            Client.Remove(instance.Uuid.ToString(), force: true);
        }

        Client.Dispose();
        using Process? term = Process.Start("kill", [$"-TERM", $"{_process.Id}"]);
        _process.WaitForExit();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    private bool IsUp()
    {
        try
        {
            return Client.Parents().Count > 0;
        }
        catch (ApiException)
        {
            return false;
        }
    }
}
