namespace Vgpu.Bench;

/// <summary>One measured figure of ours beside the peer's, both from the same run.</summary>
/// <param name="Name">What was measured, with its unit.</param>
/// <param name="Ours">Our median.</param>
/// <param name="Peer">The peer's median.</param>
public sealed record Figure(string Name, double Ours, double Peer)
{
    /// <summary>Ours divided by the peer's; the name says whether more or less is better.</summary>
    public double Ratio => Ours / Peer;

    /// <summary>The middle of several values.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
