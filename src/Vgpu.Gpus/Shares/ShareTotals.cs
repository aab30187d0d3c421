namespace Vgpu.Gpus.Shares;

/// <summary>What all vGPUs of a parent have been promised together, from which follows what each weighs.</summary>
/// <param name="Fixed">Weights of fixed shares.</param>
/// <param name="Others">Weights of the others.</param>
/// <param name="TakesTurns">One of them is promised something: all take turns.</param>
internal readonly record struct ShareTotals(int Fixed, int Others, bool TakesTurns)
{
    /// <summary>A weight of 1.</summary>
    internal const long Unit = 256;

    /// <summary>
    /// All there is, in weights: sixteenths, unless more was promised. One is kept for those without a fixed share, so that they
    /// go on beside fixed ones that have all.
    /// </summary>
    internal int Whole => Math.Max(ShareTerms.MaxWeight, Fixed + (Others > 0 ? 1 : 0));

    internal ShareTotals With(ShareTerms terms) => terms.Policy == SharePolicy.FixedShare
        ? this with { Fixed = Fixed + terms.Weight, TakesTurns = true }
        : this with { Others = Others + RelativeWeight(terms), TakesTurns = TakesTurns || terms.Policy == SharePolicy.EqualShare };

    /// <summary>What one weighs, in <see cref="Unit"/>s; at least 1. Those without a fixed share have what the fixed ones leave.</summary>
    internal long WeightOf(ShareTerms terms) => terms.Policy == SharePolicy.FixedShare
        ? terms.Weight * Unit
        : Math.Max(1, (Whole - Fixed) * Unit * RelativeWeight(terms) / Math.Max(1, Others));

    private static int RelativeWeight(ShareTerms terms) => terms.Policy == SharePolicy.EqualShare ? 1 : terms.Weight;
}
