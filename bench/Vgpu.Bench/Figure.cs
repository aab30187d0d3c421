using System.Globalization;
using System.Text.Json;

namespace Vgpu.Bench;

/// <summary>One measured figure of ours beside the peer's, both from the same run.</summary>
/// <param name="Name">What was measured, with its unit.</param>
/// <param name="Ours">Our median.</param>
/// <param name="Peer">The peer's median; not a number: the peer is missing, or can't do it.</param>
public sealed record Figure(string Name, double Ours, double Peer)
{
    /// <summary>Ours divided by the peer's; the name says whether more or less is better.</summary>
    public double Ratio { get; init; } = Ours / Peer;

    /// <summary>What nothing that answers on a socket can beat, where that was measured too.</summary>
    public double? Floor { get; init; }

    /// <summary>What <see cref="Ratio"/> is to be; null: nothing was promised.</summary>
    public Target? Target { get; init; }

    /// <summary>The middle of several values.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN
            : sorted.Length % 2 == 1 ? sorted[sorted.Length / 2]
            : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>A line of the table, <c>figure  ours  peer  ratio</c>, with target and floor after it where there are any.</summary>
    public override string ToString()
    {
        string line = $"{Name,-58}{Cell(Ours),12}{Cell(Peer),12}{Cell(Ratio),8}";
        line += Target is { } target ? $"  {target} {Verdict(target)}" : "";
        return Floor is { } floor ? $"{line}  (floor {Cell(floor)})" : line;
    }

    /// <summary>The same as one line of JSON; what could not be measured is null.</summary>
    public string ToJson() => JsonSerializer.Serialize(new
    {
        figure = Name,
        ours = Number(Ours),
        peer = Number(Peer),
        ratio = Number(Ratio),
        floor = Floor is { } floor ? Number(floor) : null,
        target = Target?.ToString(),
        met = Target is { } target && !double.IsNaN(Ratio) ? target.IsMet(Ratio) : (bool?)null,
    });

    private string Verdict(Target target) => double.IsNaN(Ratio) ? "" : target.IsMet(Ratio) ? "met" : "NOT MET";

    private static string Cell(double value) => double.IsNaN(value) ? "-" : value.ToString("0.00", CultureInfo.InvariantCulture);

    private static double? Number(double value) => double.IsNaN(value) ? null : value;
}

/// <summary>A bound on <see cref="Figure.Ratio"/>, which counts as reached within half a hundredth, as it is printed.</summary>
/// <param name="AtMost">Less is better.</param>
/// <param name="Bound">The bound itself.</param>
public readonly record struct Target(bool AtMost, double Bound)
{
    public bool IsMet(double ratio) => AtMost ? Math.Round(ratio, 2) <= Bound : Math.Round(ratio, 2) >= Bound;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(AtMost ? "≤" : "≥")} {Bound:0.00}");
}
