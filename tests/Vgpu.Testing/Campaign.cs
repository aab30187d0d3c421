// How long a seeded campaign goes on, and with which seeds: seconds in every run, minutes with ./test --long.
using System.Diagnostics;

namespace Vgpu.Testing;

public sealed class Campaign
{
    private readonly long _begun = Stopwatch.GetTimestamp();
    private readonly TimeSpan _time;

    private Campaign(TimeSpan time) => _time = time;

    /// <summary>Rounds begun so far.</summary>
    public int Rounds { get; private set; }

    /// <summary>What every run has time for.</summary>
    public static Campaign Short() => new(TimeSpan.FromSeconds(1.5));

    /// <summary>For tests with the trait Length=long.</summary>
    public static Campaign Long() => new(TimeSpan.FromMinutes(2));

    /// <summary>Whether there is time for one more round; counts it.</summary>
    public bool Next()
    {
        if (Stopwatch.GetElapsedTime(_begun) >= _time)
        {
            return false;
        }

        Rounds++;
        return true;
    }
}
