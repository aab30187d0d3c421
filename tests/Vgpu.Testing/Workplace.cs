using System.Diagnostics;
using Vgpu.Bus;
using Vgpu.Bus.Workers;
using Vgpu.Screens;
using Vgpu.Viewers.Feed;

namespace Vgpu.Testing;

/// <summary>A run folder with a daemon's host of workers: the real program, in processes of its own.</summary>
public sealed class Workplace : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _folder = new();
    private readonly WorkerHostOptions _options;

    /// <summary>With the program beside the tests, or another build of it.</summary>
    public Workplace(string? program = null)
    {
        _options = new WorkerHostOptions
        {
            RunFolder = Directory.CreateDirectory(_folder.File("run")).FullName,
            Command = ["dotnet", program ?? Path.Combine(AppContext.BaseDirectory, "vgpu.dll"), "worker"],
            Renders = type => type == "virtio-gpu-gl",
        };
        Host = null!;
        Begin();
    }

    public WorkerHost Host { get; private set; }

    public ListLogger Log { get; } = new();

    public List<WorkerEvent> Events { get; } = [];

    /// <summary>Another daemon, which takes over what it is told to expect.</summary>
    public IReadOnlySet<Guid> Restart(params Guid[] expected)
    {
        Replace();
        return Host.Adopt(expected, s_patience);
    }

    /// <summary>Another daemon, which takes nothing over yet.</summary>
    public void Replace()
    {
        Host.Dispose();
        Begin();
    }

    public InstanceDefinition Start(string type = "virtio-gpu", params (string Name, string Value)[] settings)
    {
        var definition = new InstanceDefinition
        {
            Uuid = Guid.NewGuid(),
            Name = "desk",
            Parent = "software0",
            Type = type,
            Settings = new SortedDictionary<string, string>(settings.ToDictionary(pair => pair.Name, pair => pair.Value), StringComparer.Ordinal),
        };
        Host.Start(definition);
        return definition;
    }

    public string Socket(InstanceDefinition definition) => Host.Paths(definition.Uuid).Socket;

    public int Pid(InstanceDefinition definition)
    {
        Eventually(() => Host.Status(definition.Uuid) is not null);
        return Host.Status(definition.Uuid)!.Pid;
    }

    public Picture? Shot(InstanceDefinition definition)
    {
        using ScreenFeedClient client = ScreenFeedClient.Connect(Host.Paths(definition.Uuid).Screen);
        return client.Capture(0, withCursor: false);
    }

    public void Kill(InstanceDefinition definition, string signal = "KILL") => Signal(Pid(definition), signal);

    public static void Signal(int pid, string signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", pid.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>Workers of this folder that are there.</summary>
    public IReadOnlyList<int> Workers => WorkersIn(_options.RunFolder);

    /// <summary>Workers of a daemon's run folder that are there, spare ones too.</summary>
    public static IReadOnlyList<int> WorkersIn(string runFolder) => new WorkerList(runFolder).Living();

    public static void Eventually(Func<bool> condition, string what = "what was waited for did not come")
    {
        var clock = Stopwatch.StartNew();
        using var pause = new ManualResetEventSlim();
        while (!condition())
        {
            Assert.True(clock.Elapsed < s_patience, what);
            pause.Wait(10);
        }
    }

    public void Dispose()
    {
        Host.Dispose();
        EndWorkers(_options.RunFolder);
        _folder.Dispose();
    }

    /// <summary>Kills the workers of a run folder, and returns once they are gone.</summary>
    public static void EndWorkers(string runFolder)
    {
        var list = new WorkerList(runFolder);
        foreach (int pid in list.Living())
        {
            Signal(pid, "KILL");
        }

        Eventually(() => list.Living().Count == 0);
    }

    private void Begin()
    {
        Host = new WorkerHost(_options, Log);
        Host.Reported += happened =>
        {
            lock (Events)
            {
                Events.Add(happened);
            }
        };
    }
}
