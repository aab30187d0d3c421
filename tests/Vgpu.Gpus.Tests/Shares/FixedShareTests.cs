using Vgpu.Gpus.Shares;

namespace Vgpu.Gpus.Tests.Shares;

/// <summary>fixed_share: sixteenths of the GPU's time, by weight, whatever the others do.</summary>
public sealed class FixedShareTests
{
    private const double Seconds = 10;

    // Two and four under full load, with jobs far shorter and far longer than a slice, by ppoll(2) and by poll(2).
    [Theory]
    [InlineData("4 12", "1 1", false)]
    [InlineData("8 8", "0.3 5", false)]
    [InlineData("8 8", "0.1 12", false)]
    [InlineData("3 13", "7 0.5", false)]
    [InlineData("1 15", "3 1", false)]
    [InlineData("1 2 4 8", "0.3 1 3 7", false)]
    [InlineData("8 4 2 1", "0.3 1 3 7", false)]
    [InlineData("4 4 4 4", "0.2 0.9 2.5 10", false)]
    [InlineData("4 12", "1 1", true)]
    [InlineData("1 2 4 8", "0.3 1 3 7", true)]
    [InlineData("16 16 8 8", "1 4 1 4", false)]
    [InlineData("4 12", "25 25", false)]
    [InlineData("2 4 4 6", "40 15 0.2 20", false)]
    public void Under_full_load_each_has_what_it_weighs(string weights, string jobs, bool inWholeMilliseconds)
    {
        int[] weight = [.. weights.Split(' ').Select(int.Parse)];
        using Simulation simulation = Of(weight, jobs, inWholeMilliseconds);

        double[] given = [.. simulation.RunUntil(Seconds).Given];

        Assert.All(given.Zip(weight), one => Assert.InRange(one.First / given.Sum() / ((double)one.Second / weight.Sum()), 0.95, 1.05));
        Assert.All(given.Zip(weight), one => Assert.InRange(one.First / (Seconds * 1e9) / (one.Second / 16.0), 0, 1.05));
    }

    // Less than all was promised: each has its sixteenths to the end, and the rest is nobody's.
    [Theory]
    [InlineData("4 4", "1 1")]
    [InlineData("2 8", "5 0.5")]
    [InlineData("1 2 3 4", "0.3 1 3 7")]
    public void What_was_not_promised_is_not_given(string weights, string jobs)
    {
        int[] weight = [.. weights.Split(' ').Select(int.Parse)];
        using Simulation simulation = Of(weight, jobs, false);

        Assert.All(simulation.RunUntil(Seconds).Given.Zip(weight), one => Assert.InRange(one.First / (Seconds * 1e9) / (one.Second / 16.0), 0.95, 1.05));
    }

    [Fact]
    public void What_one_leaves_is_not_lent()
    {
        var busy = new Greedy(new Random(2), 1) { Terms = Fixed(4) };
        var idle = new Greedy(new Random(3), 1) { Terms = Fixed(12), Active = (long.MaxValue, long.MaxValue) };
        using var simulation = new Simulation(busy, idle);

        Assert.InRange(simulation.RunUntil(Seconds).Given[0] / (Seconds * 1e9), 0.25 * 0.95, 0.25 * 1.05);
    }

    // Those without a fixed share have what the fixed ones leave, and the fixed ones have theirs all the same.
    [Fact]
    public void Beside_others_it_has_its_own_and_they_the_rest()
    {
        using var simulation = new Simulation(
            new Greedy(new Random(2), 1) { Terms = Fixed(4) },
            new Greedy(new Random(3), 3) { Terms = new ShareTerms(SharePolicy.EqualShare, 1) },
            new Greedy(new Random(4), 0.5) { Terms = new ShareTerms(SharePolicy.EqualShare, 9) });

        double[] given = [.. simulation.RunUntil(Seconds).Given];

        Assert.InRange(given[0] / given.Sum(), 0.25 * 0.95, 0.25 * 1.05);
        Assert.InRange(given[1] / given[2], 0.95, 1.05);
    }

    [Fact]
    public void Fixed_shares_of_all_there_is_leave_one_part_in_seventeen_for_the_others()
    {
        using var simulation = new Simulation(
            new Greedy(new Random(2), 1) { Terms = Fixed(16) },
            new Greedy(new Random(3), 1) { Terms = new ShareTerms(SharePolicy.BestEffort, 1) });

        double[] given = [.. simulation.RunUntil(Seconds).Given];

        Assert.InRange(given[1] / given.Sum() * 17, 0.95, 1.05);
    }

    [Fact]
    public void Another_weight_is_in_force_at_once()
    {
        var changed = new Greedy(new Random(2), 1) { Terms = Fixed(2) };
        using var simulation = new Simulation(changed, new Greedy(new Random(3), 1) { Terms = Fixed(4) });
        double before = simulation.RunUntil(1).Given[0];
        Assert.True(simulation.Table.TrySet(changed.Uuid, Fixed(8)));

        Assert.InRange((simulation.RunUntil(2).Given[0] - before) / 1e9, 0.5 * 0.9, 0.5 * 1.05);
    }

    // A vGPU that owes for a long job owes for it still when its worker was killed: ending it is no way to more.
    [Fact]
    public void A_worker_that_dies_takes_no_debt_with_it()
    {
        var dying = new Greedy(new Random(2), 1) { Terms = Fixed(8) };
        using var simulation = new Simulation(dying, new Greedy(new Random(3), 1) { Terms = Fixed(8) });
        for (int i = 1; i <= 100; i++)
        {
            simulation.RunUntil(i * 0.1);
            simulation.Succeed(dying);
        }

        Assert.InRange(simulation.Given[0] / simulation.Given.Sum(), 0, 0.5 * 1.05);
    }

    private static ShareTerms Fixed(int weight) => new(SharePolicy.FixedShare, weight);

    private static Simulation Of(int[] weights, string jobs, bool inWholeMilliseconds)
    {
        double[] lengths = [.. jobs.Split(' ').Select(length => double.Parse(length, System.Globalization.CultureInfo.InvariantCulture))];
        SimulatedVgpu[] vgpus = [.. weights.Zip(lengths, (weight, length) => new Greedy(new Random(weight), length) { Terms = Fixed(weight) })];
        return inWholeMilliseconds
            ? new Simulation(new ShareOptions { TimeSlice = 8_000_000 }, vgpus) { Lateness = random => random.Next(100_000, 1_100_000) }
            : new Simulation(vgpus);
    }
}
