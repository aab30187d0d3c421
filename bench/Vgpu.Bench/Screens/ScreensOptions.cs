using System.Globalization;

namespace Vgpu.Bench.Screens;

/// <summary>What is measured, and for how long.</summary>
internal sealed record ScreensOptions
{
    internal const string Usage = """
        usage: ./bench/run screens [--seconds N] [--rounds N] [--scene NAME]... [--server NAME]... [--details] [--json]
          --seconds N     how long each scene is looked at, and half as long again for its latency (4)
          --rounds N      how often all of them, in turn (2)
          --scene NAME    still, typing, scrolling or video; all of them unless said
          --server NAME   ours, h264 (ours, for viewers that take H.264), qemu or xvnc; all of them unless said
          --details       each measurement to standard error as it is made, with the encodings that came
        """;

    internal static readonly string[] AllScenes = ["still", "typing", "scrolling", "video"];
    internal static readonly string[] AllServers = ["ours", "h264", "qemu", "xvnc"];

    internal int Seconds { get; private init; } = 4;

    internal int Rounds { get; private init; } = 2;

    internal IReadOnlyList<string> Scenes { get; private init; } = [];

    internal IReadOnlyList<string> Servers { get; private init; } = [];

    internal bool Details { get; private init; }

    /// <summary>Throws <see cref="BenchmarkException"/> with the usage.</summary>
    internal static ScreensOptions Parse(IEnumerable<string> arguments)
    {
        var options = new ScreensOptions();
        var words = new Queue<string>(arguments);
        while (words.TryDequeue(out string? word))
        {
            options = word switch
            {
                "--json" => options,
                "--details" => options with { Details = true },
                "--seconds" => options with { Seconds = Number(words) },
                "--rounds" => options with { Rounds = Number(words) },
                "--scene" => options with { Scenes = [.. options.Scenes, Name(words, AllScenes)] },
                "--server" => options with { Servers = [.. options.Servers, Name(words, AllServers)] },
                _ => throw new BenchmarkException(Usage),
            };
        }

        return options with
        {
            Scenes = options.Scenes.Count == 0 ? AllScenes : options.Scenes,
            Servers = options.Servers.Count == 0 ? AllServers : options.Servers,
        };
    }

    private static int Number(Queue<string> words) =>
        words.TryDequeue(out string? word) && int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is > 0 and <= 600
            ? number
            : throw new BenchmarkException(Usage);

    private static string Name(Queue<string> words, string[] known) =>
        words.TryDequeue(out string? word) && known.Contains(word) ? word : throw new BenchmarkException(Usage);
}
