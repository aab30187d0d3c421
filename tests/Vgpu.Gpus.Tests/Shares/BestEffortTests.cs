using Vgpu.Gpus.Shares;

namespace Vgpu.Gpus.Tests.Shares;

/// <summary>best_effort: no turns where nobody is promised anything.</summary>
public sealed class BestEffortTests
{
    private static readonly ShareTerms s_free = new(SharePolicy.BestEffort, 1);

    [Fact]
    public void Nobody_waits_and_the_driver_decides()
    {
        var one = new Greedy(new Random(1), 1) { Terms = s_free };
        var other = new Drawing(jobs: 3, milliseconds: 0.5) { Terms = s_free };
        using var simulation = new Simulation(one, other);

        double[] given = [.. simulation.RunUntil(5).Given];

        Assert.Equal((0, 0), (simulation.UseOf(one).Throttled, simulation.UseOf(other).Throttled));
        Assert.InRange(given.Sum() / 5e9, 0.99, 1);
    }

    // Who has work in flight all the time is not charged for what the others had meanwhile.
    [Fact]
    public void What_is_measured_is_what_was_had_also_where_work_of_several_is_in_flight()
    {
        SimulatedVgpu[] vgpus = [new Greedy(new Random(1), 1) { Terms = s_free }, new Greedy(new Random(2), 4) { Terms = s_free }, new Drawing(jobs: 3, milliseconds: 0.5, interval: 16) { Terms = s_free }];
        using var simulation = new Simulation(vgpus);
        simulation.RunUntil(5);

        long[] used = [.. vgpus.Select(vgpu => simulation.UseOf(vgpu).Used)];
        Assert.All(used.Zip(simulation.Given), one => Assert.InRange(one.First / one.Second, 0.9, 1.15));
        Assert.InRange(used.Sum() / 5e9, 0.95, 1.02);
        Assert.InRange(simulation.UseOf(vgpus[0]).Busy / 5e9, 0.99, 1.01);
    }

    // As soon as one of them is promised something, all take turns, and these have what is left by weight.
    [Fact]
    public void Beside_a_fixed_share_it_takes_turns()
    {
        using var simulation = new Simulation(
            new Greedy(new Random(1), 1) { Terms = new ShareTerms(SharePolicy.FixedShare, 8) },
            new Greedy(new Random(2), 1) { Terms = new ShareTerms(SharePolicy.BestEffort, 1) },
            new Greedy(new Random(3), 2) { Terms = new ShareTerms(SharePolicy.BestEffort, 3) });

        double[] given = [.. simulation.RunUntil(10).Given];

        Assert.InRange(given[0] / given.Sum(), 0.5 * 0.95, 0.5 * 1.05);
        Assert.InRange(given[2] / given[1], 3 * 0.95, 3 * 1.05);
    }
}
