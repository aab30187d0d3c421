using FsCheck;
using FsCheck.Fluent;

namespace Vgpu.Vfio.Tests.Properties;

/// <summary>
/// Properties of sequences of steps: steps are made at random, by seeds that are always the same, and a sequence that
/// fails is made shorter and its steps simpler until no simpler one fails.
/// </summary>
internal static class Sequence
{
    /// <summary>Sequences that every run has time for.</summary>
    internal const int Few = 300;

    /// <summary>For tests with the trait Length=long.</summary>
    internal const int Many = 30_000;

    private const int LongestSequence = 200;

    /// <summary>Asserts that a property holds of <paramref name="cases"/> sequences.</summary>
    internal static void ForAll<TStep>(Gen<TStep> step, Func<TStep, IEnumerable<TStep>> simpler, ulong seed, int cases, Action<TStep[]> holds) =>
        Prop.ForAll(Arb.From(step.ArrayOf(), steps => Simpler(steps, simpler)), holds)
            .Check(Config.QuickThrowOnFailure.WithQuietOnSuccess(true).WithMaxTest(cases).WithStartSize(1).WithEndSize(LongestSequence).WithReplay(seed, 1));

    /// <summary>Smaller numbers to try in place of one that fails.</summary>
    internal static IEnumerable<ulong> Smaller(ulong value, ulong least = 0)
    {
        if (value > least)
        {
            yield return least;
        }

        if (value / 2 > least)
        {
            yield return value / 2;
        }

        if (value > least + 1)
        {
            yield return value - 1;
        }
    }

    // Without a long part, then without a shorter one, and at last with one step made simpler.
    private static IEnumerable<TStep[]> Simpler<TStep>(TStep[] steps, Func<TStep, IEnumerable<TStep>> simpler)
    {
        for (int part = steps.Length; part > 0; part /= 2)
        {
            for (int at = 0; at < steps.Length; at += part)
            {
                yield return [.. steps[..at], .. steps[Math.Min(at + part, steps.Length)..]];
            }
        }

        for (int at = 0; at < steps.Length; at++)
        {
            foreach (TStep step in simpler(steps[at]))
            {
                yield return [.. steps[..at], step, .. steps[(at + 1)..]];
            }
        }
    }
}
