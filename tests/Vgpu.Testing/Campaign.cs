// How long a seeded campaign goes on, and with which seeds: seconds in every run, minutes with ./test --long.
using System.Diagnostics;

namespace Vgpu.Testing;

public sealed class Campaign
{
    private readonly long _begun = Stopwatch.GetTimestamp();
    private readonly TimeSpan _time;
    private readonly int _atLeast;

    private Campaign(TimeSpan time, int atLeast) => (_time, _atLeast) = (time, atLeast);

    /// <summary>Rounds begun so far.</summary>
    public int Rounds { get; private set; }

    /// <summary>What every run has time for; <paramref name="atLeast"/> rounds however slow the machine is.</summary>
    public static Campaign Short(int atLeast = 1) => new(TimeSpan.FromSeconds(1.5), atLeast);

    /// <summary>For tests with the trait Length=long.</summary>
    public static Campaign Long() => new(TimeSpan.FromMinutes(2), 1);

    /// <summary>Whether there is time for one more round; counts it.</summary>
    public bool Next()
    {
        if (Rounds >= _atLeast && Stopwatch.GetElapsedTime(_begun) >= _time)
        {
            return false;
        }

        Rounds++;
        return true;
    }
}
