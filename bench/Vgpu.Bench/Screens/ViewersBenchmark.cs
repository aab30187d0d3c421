using System.Diagnostics;
using System.Globalization;
using Vgpu.Testing.Rfb;
using Viewer = Vgpu.Testing.Rfb.Viewer;

namespace Vgpu.Bench.Screens;

/// <summary>
/// Forty viewers of one screen that is typed on, and the same with ten more that ask for everything and never read: what that
/// costs the forty, and the server. The peer is the same server without the ten.
/// </summary>
internal static class ViewersBenchmark
{
    private const int Readers = 40;
    private const int Deaf = 10;
    private const int FenceEncoding = -312;
    private const int ContinuousUpdatesEncoding = -313;
    private static readonly TimeSpan s_settling = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(8);

    internal static IEnumerable<Figure> Run()
    {
        using var screen = new OurScreen(Path.Combine(Environment.GetEnvironmentVariable("VGPU_HOME") ?? ".", "artifacts", "vgpu"));
        using var source = new SceneSource(screen, TerminalScene.Typing);
        List<LookingViewer> readers = [];
        List<Viewer> deaf = [];
        try
        {
            for (int i = 0; i < Readers; i++)
            {
                readers.Add(new LookingViewer(screen, takesH264: false));
            }

            readers.ForEach(reader => reader.AwaitPicture());
            Look without = Measure(screen, source, readers);
            for (int i = 0; i < Deaf; i++)
            {
                deaf.Add(Come(screen));
            }

            Look with = Measure(screen, source, readers);
            Look later = Measure(screen, source, readers);
            yield return new Figure("40 readers : with 10 that never read  frames/s of the median one", later.Median, without.Median) { Target = new Target(AtMost: false, 0.95) };
            yield return new Figure("40 readers : with 10 that never read  frames/s of the slowest", later.Slowest, without.Slowest) { Target = new Target(AtMost: false, 0.95) };
            yield return new Figure("40 readers : with 10 that never read  CPU of the server, %", later.Cpu, without.Cpu);
            yield return new Figure("40 readers : with 10 that never read  memory, MB", later.Memory, without.Memory);
            yield return new Figure("50 viewers : twelve seconds on        memory, MB", later.Memory, with.Memory) { Target = new Target(AtMost: true, 1.05) };
        }
        finally
        {
            deaf.ForEach(viewer => viewer.Dispose());
            readers.ForEach(reader => reader.Dispose());
        }
    }

    private static Look Measure(OurScreen screen, SceneSource source, List<LookingViewer> readers)
    {
        Pause.For(s_settling);
        long painted = source.Painted;
        long[] frames = [.. readers.Select(reader => reader.Frames)];
        var processor = new ProcessorTime(screen.Processes);
        long begun = Stopwatch.GetTimestamp();
        Pause.For(s_look);
        double seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        double cpu = processor.Elapsed.TotalSeconds / seconds * 100;
        double[] rates = [.. readers.Select((reader, i) => (reader.Frames - frames[i]) / seconds)];
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{rates.Order().First():0.00} to {rates.Order().Last():0.00} of {(source.Painted - painted) / seconds:0.00} frames/s"));
        return new Look(Figure.Median(rates), rates.Min(), cpu, screen.Processes.Sum(Memory) / 1e6);
    }

    // Asks for all of it, uncompressed and without end.
    private static Viewer Come(OurScreen screen)
    {
        var viewer = new Viewer(screen.Address, password: screen.Password);
        viewer.SetEncodings(0, FenceEncoding, ContinuousUpdatesEncoding);
        viewer.Request(incremental: false);
        viewer.Wire.Send([150, 1, .. Wire.B16(0, 0, Canvas.Width, Canvas.Height)]);
        return viewer;
    }

    // What a process alone has in memory, in bytes: what it shares with others is not its viewers'.
    private static double Memory(int pid)
    {
        string line = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/status")).First(l => l.StartsWith("RssAnon:", StringComparison.Ordinal));
        return 1024.0 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture);
    }

    private sealed record Look(double Median, double Slowest, double Cpu, double Memory);
}
