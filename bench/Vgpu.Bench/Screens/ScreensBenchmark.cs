namespace Vgpu.Bench.Screens;

/// <summary>
/// What it costs to show a screen of 1920x1080: the same scenes, painted by the same source, shown by the daemon's viewers, by
/// QEMU's own VNC server and by TigerVNC's Xvnc, to the same viewer, in turn. QEMU's screen is its own virtio-gpu with the same
/// driver as ours; Xvnc's is painted on through shared memory.
/// </summary>
internal static class ScreensBenchmark
{
    private static readonly Dictionary<string, Func<IScene>> s_scenes = new(StringComparer.Ordinal)
    {
        ["still"] = () => TerminalScene.Still,
        ["typing"] = () => TerminalScene.Typing,
        ["scrolling"] = () => new ScrollingScene(),
        ["video"] = () => new VideoScene(),
    };

    internal static IEnumerable<Figure> Run(IEnumerable<string> arguments)
    {
        var options = ScreensOptions.Parse(arguments);
        Dictionary<(string Scene, string Server), List<ScreenMeasurement>> measured = [];
        using (var servers = new Servers(options.Servers))
        {
            IScene[] scenes = [.. options.Scenes.Select(name => s_scenes[name]())];
            servers.WarmUp(scenes);
            for (int round = 0; round < options.Rounds; round++)
            {
                foreach (IScene scene in scenes)
                {
                    foreach ((string name, IShownScreen screen) in servers.For(scene.Name))
                    {
                        measured.TryAdd((scene.Name, name), []);
                        measured[(scene.Name, name)].Add(ScreenLook.Measure(screen, name == "h264", scene, options));
                    }
                }
            }
        }

        foreach (string scene in options.Scenes)
        {
            foreach (string ours in (string[])["ours", "h264"])
            {
                foreach (string peer in (string[])["qemu", "xvnc"])
                {
                    if (measured.ContainsKey((scene, ours)))
                    {
                        foreach (Figure figure in Compare(scene, ours, peer, measured[(scene, ours)], measured.GetValueOrDefault((scene, peer), [])))
                        {
                            yield return figure;
                        }
                    }
                }
            }
        }
    }

    private static IEnumerable<Figure> Compare(string scene, string ours, string peer, List<ScreenMeasurement> mine, List<ScreenMeasurement> theirs)
    {
        double bytes = scene is "scrolling" or "video" ? 0.5 : 1;
        yield return Of("CPU a frame, ms", look => look.CpuPerFrame, new Target(AtMost: true, 1));
        yield return Of("bytes, kB/s", look => look.KilobytesPerSecond, new Target(AtMost: true, bytes));
        yield return Of("frames/s (more is better)", look => look.FramesPerSecond, new Target(AtMost: false, 1));
        yield return Late("key to picture, median, ms", 0.5);
        yield return Late("key to picture, p99, ms", 0.99);

        Figure Of(string what, Func<ScreenMeasurement, double> pick, Target target) =>
            new(Name(what), Figure.Median(mine.Select(pick)), Figure.Median(theirs.Select(pick))) { Target = target };

        Figure Late(string what, double part) =>
            new(Name(what), Latency(mine, part), Latency(theirs, part)) { Target = new Target(AtMost: true, 1) };

        string Name(string what) => $"{scene}{(ours == "h264" ? ", H.264" : "")} : {peer}  {what}";
    }

    private static double Latency(IEnumerable<ScreenMeasurement> looks, double part) =>
        ScreenMeasurement.Percentile(looks.SelectMany(look => look.Latencies), part);

    /// <summary>The servers that are measured, all up for the whole run; nobody looks at the others while one is.</summary>
    private sealed class Servers : IDisposable
    {
        private readonly Dictionary<string, IShownScreen> _screens = new(StringComparer.Ordinal);
        private readonly IReadOnlyList<string> _names;

        internal Servers(IReadOnlyList<string> names)
        {
            _names = names;
            try
            {
                foreach (string name in names.Select(name => name == "h264" ? "ours" : name).Distinct())
                {
                    _screens[name] = name switch
                    {
                        "qemu" => new QemuScreen(),
                        "xvnc" => new XvncScreen(),
                        _ => new OurScreen(Path.Combine(Environment.GetEnvironmentVariable("VGPU_HOME") ?? ".", "artifacts", "vgpu")),
                    };
                }
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        /// <summary>Each shows each scene once, so that none is measured at what it does for the first time only.</summary>
        internal void WarmUp(IEnumerable<IScene> scenes)
        {
            foreach (IScene scene in scenes)
            {
                foreach ((string name, IShownScreen screen) in For(scene.Name))
                {
                    ScreenLook.Look(screen, name == "h264", scene);
                }
            }
        }

        /// <summary>H.264 is for what moves.</summary>
        internal IEnumerable<(string Name, IShownScreen Screen)> For(string scene) =>
            _names.Where(name => name != "h264" || scene is "scrolling" or "video").Select(name => (name, _screens[name == "h264" ? "ours" : name]));

        public void Dispose()
        {
            foreach (IShownScreen screen in _screens.Values)
            {
                screen.Dispose();
            }
        }
    }
}
