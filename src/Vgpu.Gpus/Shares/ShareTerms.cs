namespace Vgpu.Gpus.Shares;

/// <summary>What one vGPU may have of its parent's GPU.</summary>
/// <param name="Policy">How it shares.</param>
/// <param name="Weight">
/// <see cref="MinWeight"/> to <see cref="MaxWeight"/>. Under fixed_share sixteenths of the GPU's time; under best_effort, where turns
/// are taken, what it gets beside others without a fixed share; under equal_share it says nothing.
/// </param>
public readonly record struct ShareTerms(SharePolicy Policy, int Weight)
{
    public const int MinWeight = 1;

    public const int MaxWeight = 16;

    /// <summary>Throws <see cref="ArgumentOutOfRangeException"/> where the policy or the weight is none.</summary>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Weight, MinWeight);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Weight, MaxWeight);
        if (!Enum.IsDefined(Policy))
        {
            throw new ArgumentOutOfRangeException(nameof(Policy));
        }
    }

    /// <summary>As one word, which another process reads whole; never 0.</summary>
    internal long ToWord() => (long)Policy | ((long)Weight << 8);

    /// <summary>Of a word that anybody may have written: what is out of range is taken for what is nearest.</summary>
    internal static ShareTerms OfWord(long word)
    {
        var policy = (SharePolicy)(byte)word;
        return new ShareTerms(Enum.IsDefined(policy) ? policy : SharePolicy.BestEffort, (int)Math.Clamp((word >> 8) & 0xff, MinWeight, MaxWeight));
    }
}
