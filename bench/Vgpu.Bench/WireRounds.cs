namespace Vgpu.Bench;

/// <summary>What the client said of each server in one round.</summary>
internal sealed class WireRound
{
    internal Numbers Ours { get; } = new();

    internal Numbers Peer { get; } = new();

    internal Numbers Floor { get; } = new();

    /// <summary>Numbers by "figure.number"; what was not measured is not a number.</summary>
    internal sealed class Numbers
    {
        private readonly Dictionary<string, double> _values = new(StringComparer.Ordinal);

        internal double this[string key] => _values.GetValueOrDefault(key, double.NaN);

        internal void Add(Dictionary<string, double> values)
        {
            foreach ((string key, double value) in values)
            {
                _values[key] = value;
            }
        }
    }
}

/// <summary>All rounds of a run, and the figures that come out of them: medians, and the median of the rounds' ratios.</summary>
internal sealed class WireRounds
{
    private readonly List<WireRound> _rounds = [];

    internal void Add(WireRound round) => _rounds.Add(round);

    /// <summary>Less is better; <paramref name="unit"/> is how many of the client's one of ours is (ns to µs).</summary>
    internal Figure Time(string name, string key, Target? target, double unit = 1e3) => Compare(name, key, unit, target);

    /// <summary>More is better, in thousands a second.</summary>
    internal Figure Rate(string name, string key, double atLeast) => Compare(name, key, 1e3, new Target(AtMost: false, atLeast));

    /// <summary>A message of the server's: nothing where it could not be sent.</summary>
    internal Figure Message(string name, string figure)
    {
        return new Figure(name, Of(round => round.Ours), Of(round => round.Peer));

        double Of(Func<WireRound, WireRound.Numbers> pick) =>
            Median(round => pick(round)[$"{figure}.ok"] > 0 ? pick(round)[$"{figure}.ns_per_op"] / 1e3 : double.NaN);
    }

    /// <summary>
    /// Pairs of map and unmap among <paramref name="existing"/> others, by the medians of the two: a sum of all would count
    /// every moment at which something else had the processor.
    /// </summary>
    internal Figure Pairs(string name, int existing, double atLeast) =>
        new(name, Median(round => PairRate(round.Ours, existing)), Median(round => PairRate(round.Peer, existing)))
        {
            Ratio = Median(round => PairRate(round.Ours, existing) / PairRate(round.Peer, existing)),
            Target = new Target(AtMost: false, atLeast),
        };

    /// <summary>Our own pairs among some, beside those among others, which stand where the peer's would.</summary>
    internal Figure PairsOfOurs(string name, int existing, int others, double atLeast) =>
        new(name, Median(round => PairRate(round.Ours, existing)), Median(round => PairRate(round.Ours, others)))
        {
            Ratio = Median(round => PairRate(round.Ours, existing) / PairRate(round.Ours, others)),
            Target = new Target(AtMost: false, atLeast),
        };

    // In thousands a second.
    private static double PairRate(WireRound.Numbers numbers, int existing) =>
        1e6 / (numbers[$"dma_map_existing_{existing}.median_ns"] + numbers[$"dma_unmap_existing_{existing}.median_ns"]);

    private Figure Compare(string name, string key, double unit, Target? target)
    {
        double floor = Median(round => round.Floor[key] / unit);
        return new Figure(name, Median(round => round.Ours[key] / unit), Median(round => round.Peer[key] / unit))
        {
            Ratio = Median(round => round.Ours[key] / round.Peer[key]),
            Floor = double.IsNaN(floor) ? null : floor,
            Target = target,
        };
    }

    private double Median(Func<WireRound, double> pick) => Figure.Median(_rounds.Select(pick).Where(value => !double.IsNaN(value)));
}
