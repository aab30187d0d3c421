using System.Diagnostics;
using System.Globalization;

namespace Vgpu.Bench.Screens;

/// <summary>
/// Looks at a scene on a server: once the picture is there and has settled, for some seconds without touching anything, then
/// with a key now and then.
/// </summary>
internal static class ScreenLook
{
    // Servers that refine what they sent in haste, and choose by what moves, have done so by then.
    private static readonly TimeSpan s_settling = TimeSpan.FromSeconds(1.5);

    // A runtime that compiles what is used often has done most of it by then, in the background.
    private static readonly TimeSpan s_warming = TimeSpan.FromSeconds(6);

    /// <summary>Looks for a while, and measures nothing.</summary>
    internal static void Look(IShownScreen screen, bool takesH264, IScene scene)
    {
        using var source = new SceneSource(screen, scene);
        using var viewer = new LookingViewer(screen, takesH264);
        viewer.AwaitPicture();
        Pause.For(s_warming);
        _ = viewer.Press();
    }

    internal static ScreenMeasurement Measure(IShownScreen screen, bool takesH264, IScene scene, ScreensOptions options)
    {
        using var source = new SceneSource(screen, scene);
        using var viewer = new LookingViewer(screen, takesH264);
        viewer.AwaitPicture();
        Pause.For(s_settling);

        (long frames, long updates, long bytes, long painted) = (viewer.Frames, viewer.Updates, viewer.Bytes, source.Painted);
        var processor = new ProcessorTime(screen.Processes);
        var own = new ProcessorTime([Environment.ProcessId]);
        long begun = Stopwatch.GetTimestamp();
        Pause.For(TimeSpan.FromSeconds(options.Seconds));
        TimeSpan used = processor.Elapsed;
        string shares = $"{processor.Shares(Stopwatch.GetElapsedTime(begun))}, viewer and source {own.Elapsed / Stopwatch.GetElapsedTime(begun) * 100:0} %";
        double seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        (frames, updates, bytes, painted) = (viewer.Frames - frames, viewer.Updates - updates, viewer.Bytes - bytes, source.Painted - painted);

        List<double> latencies = [];
        var random = new Random(7);
        for (begun = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begun).TotalSeconds < options.Seconds / 2.0;)
        {
            latencies.Add(viewer.Press().TotalMilliseconds);
            Pause.For(TimeSpan.FromMilliseconds(random.Next(20, 70)));
        }

        var measured = new ScreenMeasurement(used.TotalMilliseconds / frames, bytes / seconds / 1e3, frames / seconds, painted / seconds, latencies);
        if (options.Details)
        {
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{scene.Name,-10}{screen.Name + (takesH264 ? " h264" : ""),-10} {measured.CpuPerFrame,8:0.00} ms/frame {used.TotalSeconds / seconds * 100,6:0.0} % cpu {measured.KilobytesPerSecond,9:0.0} kB/s {measured.FramesPerSecond,6:0.00} of {measured.PaintedPerSecond:0.00} frames/s {updates / seconds,6:0.0} updates/s latency {ScreenMeasurement.Percentile(latencies, 0.5):0.0} / {ScreenMeasurement.Percentile(latencies, 0.99):0.0} ms of {latencies.Count}; {viewer.Kinds}; {shares}"));
        }

        return measured;
    }
}
