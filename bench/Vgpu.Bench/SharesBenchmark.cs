using System.Diagnostics;
using Vgpu.Api;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Bench;

/// <summary>
/// What the shares of a GPU are worth: vGPUs of one parent under full load, guests by the protocol with VirGL's streams, and the GPU
/// time that is measured from submission to fence. Nobody else does this job here, so the ratios are to what was promised.
/// </summary>
internal static class SharesBenchmark
{
    private const string Type = "virtio-gpu-gl";
    private const int All = 16;
    private const double Deviation = 5;
    private const int FrameLimit = 60;

    private static readonly TimeSpan s_watch = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(2);

    internal static IEnumerable<Figure> Run()
    {
        string program = Path.Combine(Environment.GetEnvironmentVariable("VGPU_HOME") ?? ".", "artifacts", "vgpu");
        using var daemon = new BenchDaemon(program);
        foreach (int[] weights in (int[][])[[12, 4], [8, 4, 2, 2]])
        {
            foreach (Figure figure in Fixed(daemon, weights))
            {
                yield return figure;
            }
        }

        yield return Lending(daemon);
        yield return Hostile(daemon);
        yield return Limiter(daemon);
    }

    private static IEnumerable<Figure> Fixed(BenchDaemon daemon, int[] weights)
    {
        using var load = new Load(daemon, [.. weights.Select(weight => ("fixed_share", weight))]);
        load.Start();
        Pause.For(s_warmUp);
        (double[] used, double seconds) = load.Watch(s_watch);
        double sum = used.Sum();
        double worst = weights.Select((weight, i) => Math.Abs((used[i] / sum) - (weight / (double)All)) / (weight / (double)All) * 100).Max();
        string name = string.Join(':', weights);
        yield return Promise($"fixed_share {name}, largest deviation of a share from its weight, %", worst, Deviation);
        yield return new Figure($"fixed_share {name}, GPU time of all in {s_watch.TotalSeconds:0} s, s", sum / 1e9, seconds);
    }

    // Who is alone at the GPU though another has half of it.
    private static Figure Lending(BenchDaemon daemon)
    {
        double alone, beside;
        using (var load = new Load(daemon, [("equal_share", 1)]))
        {
            load.Start();
            Pause.For(s_warmUp);
            (double[] used, double seconds) = load.Watch(s_watch);
            alone = used[0] / seconds;
        }

        using (var load = new Load(daemon, [("equal_share", 1), ("equal_share", 1)]))
        {
            load.Start(count: 1);
            Pause.For(s_warmUp);
            (double[] used, double seconds) = load.Watch(s_watch);
            beside = used[0] / seconds;
        }

        return new Figure("equal_share beside one that does nothing, GPU time, % (alone)", beside / 1e7, alone / 1e7);
    }

    // The same share with and without a neighbour that submits without an end.
    private static Figure Hostile(BenchDaemon daemon)
    {
        double alone, beside;
        using (var load = new Load(daemon, [("fixed_share", All / 2)]))
        {
            load.Start();
            Pause.For(s_warmUp);
            alone = load.FrameTime(s_watch);
        }

        using (var load = new Load(daemon, [("fixed_share", All / 2), ("fixed_share", All / 2)]))
        {
            load.Start();
            Pause.For(s_warmUp);
            beside = load.FrameTime(s_watch);
        }

        return new Figure("half of the GPU, beside a hostile one, ms a frame (alone)", beside, alone) { Target = new Target(AtMost: true, 1.1) };
    }

    private static Figure Limiter(BenchDaemon daemon)
    {
        Instance made = Make(daemon, "best_effort", 1, ("fps_limit", $"{FrameLimit}"));
        using var client = new DrawingClient(made.Paths!.Socket, renders: true);
        client.Draw(0);
        int frames = 0;
        long begun = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begun) < s_watch)
        {
            client.Screen.Show(new Rect(0, 0, DrawingClient.Width, DrawingClient.Height));
            frames++;
        }

        double rate = frames / Stopwatch.GetElapsedTime(begun).TotalSeconds;
        daemon.Client.Remove(made.Uuid.ToString(), force: true);
        return new Figure($"frames per second under fps_limit={FrameLimit}", rate, FrameLimit);
    }

    private static Instance Make(BenchDaemon daemon, string policy, int weight, params (string Name, string Value)[] settings) => daemon.Client.Create(new CreateBody
    {
        Parent = "software0",
        Type = Type,
        Settings = settings.Append(("policy", policy)).Append(("weight", $"{weight}"))
            .ToDictionary(setting => setting.Item1, setting => ApiJson.ToElement(setting.Item2), StringComparer.Ordinal),
    });

    private static Figure Promise(string name, double value, double promised) =>
        new(name, value, promised) { Target = new Target(AtMost: true, 1) };

    // Guests that render as fast as they may, a thread each.
    private sealed class Load : IDisposable
    {
        private readonly BenchDaemon _daemon;
        private readonly Instance[] _instances;
        private readonly DrawingClient[] _clients;
        private readonly List<Thread> _threads = [];
        private long _frames;
        private volatile bool _stop;

        internal Load(BenchDaemon daemon, (string Policy, int Weight)[] vgpus)
        {
            _daemon = daemon;
            _instances = [.. vgpus.Select(vgpu => Make(daemon, vgpu.Policy, vgpu.Weight))];
            _clients = [.. _instances.Select(instance => new DrawingClient(instance.Paths!.Socket, renders: true))];
            foreach (DrawingClient client in _clients)
            {
                client.Screen.BeginRendering();
                client.Screen.Render(new CommandStream().Target(1, GuestScreen.Shown, 2).Pipeline(DrawingClient.Width, DrawingClient.Height, "1.0, 0.0, 0.0, 1.0"));
            }
        }

        internal void Start(int count = int.MaxValue)
        {
            foreach ((DrawingClient client, int index) in _clients.Take(count).Select((client, index) => (client, index)))
            {
                var thread = new Thread(() => Render(client, index == 0)) { IsBackground = true };
                _threads.Add(thread);
                thread.Start();
            }
        }

        /// <summary>Nanoseconds of the GPU that each has had, and the seconds that were watched.</summary>
        internal (double[] Used, double Seconds) Watch(TimeSpan time)
        {
            long begun = Stopwatch.GetTimestamp();
            double[] before = Used();
            Pause.For(time);
            double[] after = Used();
            return ([.. after.Zip(before, (last, first) => last - first)], Stopwatch.GetElapsedTime(begun).TotalSeconds);
        }

        /// <summary>Milliseconds that a frame of the first one takes on average.</summary>
        internal double FrameTime(TimeSpan time)
        {
            long before = Volatile.Read(ref _frames);
            long begun = Stopwatch.GetTimestamp();
            Pause.For(time);
            return Stopwatch.GetElapsedTime(begun).TotalMilliseconds / (Volatile.Read(ref _frames) - before);
        }

        public void Dispose()
        {
            _stop = true;
            _threads.ForEach(thread => thread.Join());
            Array.ForEach(_clients, client => client.Dispose());
            foreach (Instance instance in _instances)
            {
                _daemon.Client.Remove(instance.Uuid.ToString(), force: true);
            }
        }

        private void Render(DrawingClient client, bool isCounted)
        {
            CommandStream frame = new CommandStream().Fill(GuestScreen.Vertices, -1, -1, 1, 1);
            while (!_stop)
            {
                client.Screen.Render(frame);
                _ = isCounted ? Interlocked.Increment(ref _frames) : 0;
            }
        }

        private double[] Used() => [.. _instances.Select(instance => (double)(_daemon.Client.Find(instance.Uuid.ToString()).Worker?.GpuNanoseconds
            ?? throw new BenchmarkException("nobody measures GPU time")))];
    }
}
