using System.Diagnostics;
using System.Globalization;
using Vgpu.Api;
using Vgpu.Linux;
using Vgpu.VfioUser;

namespace Vgpu.Bench;

/// <summary>
/// What the daemon costs: how soon a vGPU takes a client after it was asked for, how long a client waits when its worker is
/// killed, and what a hundred that do nothing take. Nobody else does this job, so the ratios are to what was promised.
/// </summary>
internal static class BusBenchmark
{
    private const int Creations = 20;
    private const int Idle = 100;
    private const int Kills = 30;
    private const double KibibytesPerMebibyte = 1024;

    private static readonly TimeSpan s_watch = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    internal static IEnumerable<Figure> Run()
    {
        string program = Path.Combine(Environment.GetEnvironmentVariable("VGPU_HOME") ?? ".", "artifacts", "vgpu");
        using var daemon = new BenchDaemon(program);
        List<double> ready = [];
        for (int i = 0; i < Creations; i++)
        {
            ready.Add(Create(daemon, "virtio-gpu-64m"));
            Pause.For(s_pause);
        }

        yield return Promise("create until a client is served, ms, median of 20", Figure.Median(ready), 300);
        foreach (Figure figure in Gaps(daemon))
        {
            yield return figure;
        }

        for (int i = Creations; i < Idle; i++)
        {
            _ = Create(daemon, "virtio-gpu-64m");
        }

        Pause.For(s_pause * 5);
        int viewers = daemon.Viewers is > 0 and int pid ? pid : throw new BenchmarkException("nobody shows the screens");
        int[] processes = [daemon.Pid, viewers, .. daemon.Client.Instances().Select(instance => instance.Worker!.Pid)];
        TimeSpan before = Processor(processes);
        long begun = Stopwatch.GetTimestamp();
        Pause.For(s_watch);
        double busy = (Processor(processes) - before) / Stopwatch.GetElapsedTime(begun);
        yield return Promise("100 idle vGPUs, the daemon and its viewers' process, proportional memory, MiB", processes.Sum(Proportional), 2.5 * 1024);
        yield return Promise("100 idle vGPUs, the daemon and its viewers' process, % of one core", busy * 100, 2);
    }

    private static Figure Promise(string name, double value, double promised) =>
        new(name, value, promised) { Target = new Target(AtMost: true, 1) };

    private static double Create(BenchDaemon daemon, string type)
    {
        long begun = Stopwatch.GetTimestamp();
        Instance made = daemon.Client.Create(new CreateBody { Parent = "software0", Type = type });
        using VfioUserClient client = VfioUserClient.Connect(made.Paths!.Socket);
        client.Negotiate();
        return Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
    }

    // How long a read takes whose worker was killed just before.
    private static IEnumerable<Figure> Gaps(BenchDaemon daemon)
    {
        Instance made = daemon.Client.Create(new CreateBody { Parent = "software0", Type = "virtio-gpu-64m", Name = "killed" });
        using VfioUserClient client = VfioUserClient.Connect(made.Paths!.Socket);
        client.Negotiate();
        List<double> gaps = [];
        int former = 0;
        for (int i = 0; i < Kills; i++)
        {
            int pid = Worker(daemon, former);
            former = pid;
            using PidFd worker = PidFd.Open(pid) ?? throw new BenchmarkException("the worker is gone");
            worker.Kill();
            long begun = Stopwatch.GetTimestamp();
            _ = client.RegionRead<uint>(7, 0);
            gaps.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            Pause.For(s_pause);
        }

        yield return Promise("an answer after its worker's death, ms, median of 30", Figure.Median(gaps), 50);
        yield return Promise("an answer after its worker's death, ms, longest of 30", gaps.Max(), 5000);
    }

    private static int Worker(BenchDaemon daemon, int former)
    {
        for (int i = 0; i < 100; i++)
        {
            int pid = daemon.Client.Find("killed").Worker?.Pid ?? 0;
            if (pid != 0 && pid != former)
            {
                return pid;
            }

            Pause.For(TimeSpan.FromMilliseconds(50));
        }

        throw new BenchmarkException("nobody took over");
    }

    private static TimeSpan Processor(IEnumerable<int> processes)
    {
        TimeSpan sum = TimeSpan.Zero;
        foreach (int pid in processes)
        {
            using Process process = Process.GetProcessById(pid);
            sum += process.TotalProcessorTime;
        }

        return sum;
    }

    // Pss of proc_pid_smaps(5), in MiB.
    private static double Proportional(int pid)
    {
        string line = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/smaps_rollup")).First(line => line.StartsWith("Pss:", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / KibibytesPerMebibyte;
    }
}
