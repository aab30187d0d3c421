namespace Vgpu.Bench.Acceleration;

/// <summary>What of acceleration is run.</summary>
/// <param name="Rounds">Boots of each.</param>
/// <param name="Seconds">How long each scene is drawn.</param>
/// <param name="WithPiglit">Whether piglit's sample is compared too.</param>
internal sealed record AccelerationOptions(int Rounds, int Seconds, bool WithPiglit)
{
    internal const string Usage =
        """
        usage: ./bench/run acceleration [--rounds N] [--seconds N] [--no-piglit] [--json]
          --rounds N     boots of each guest, whose median counts; 3 unless said
          --seconds N    how long each scene is drawn in one boot; 5 unless said
          --no-piglit    leaves the tests of OpenGL out, which take some minutes
        Both servers run with the renderer library and the Mesa of one tree; what they are is said at the start.
        for example: ./bench/run acceleration --rounds 1 --no-piglit
        """;

    internal static AccelerationOptions Parse(IEnumerable<string> arguments)
    {
        var options = new AccelerationOptions(3, 5, true);
        using IEnumerator<string> each = arguments.GetEnumerator();
        while (each.MoveNext())
        {
            options = each.Current switch
            {
                "--rounds" => options with { Rounds = Number() },
                "--seconds" => options with { Seconds = Number() },
                "--no-piglit" => options with { WithPiglit = false },
                "--json" => options,
                _ => throw new BenchmarkException($"{each.Current}? See ./bench/run acceleration --help"),
            };
        }

        return options;

        int Number() => each.MoveNext() && int.TryParse(each.Current, out int number) && number is >= 1 and <= 100
            ? number
            : throw new BenchmarkException("a number from 1 to 100 is wanted; see ./bench/run acceleration --help");
    }
}
