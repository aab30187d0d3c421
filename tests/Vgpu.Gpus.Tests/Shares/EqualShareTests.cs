using Vgpu.Gpus.Shares;

namespace Vgpu.Gpus.Tests.Shares;

/// <summary>equal_share: as much as each other that wants to run, and what one leaves goes to the others.</summary>
public sealed class EqualShareTests
{
    private static readonly ShareTerms s_equal = new(SharePolicy.EqualShare, 1);

    [Theory]
    [InlineData("1 1")]
    [InlineData("0.2 9")]
    [InlineData("0.3 1 3 7")]
    [InlineData("25 0.5 10 3")]
    public void Under_full_load_all_have_the_same(string jobs)
    {
        double[] lengths = [.. jobs.Split(' ').Select(length => double.Parse(length, System.Globalization.CultureInfo.InvariantCulture))];
        using var simulation = new Simulation([.. lengths.Select((length, i) => new Greedy(new Random(i), length) { Terms = s_equal })]);

        double[] given = [.. simulation.RunUntil(10).Given];

        Assert.All(given, one => Assert.InRange(one / given.Sum() * given.Length, 0.95, 1.05));
        Assert.InRange(given.Sum() / 10e9, 0.85, 1);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void What_an_idle_one_leaves_is_lent_within_two_slices_and_given_back_within_two(int vgpus)
    {
        var lender = new Greedy(new Random(1), 0.5) { Terms = s_equal, Active = (0, Simulation.At(1)) };
        var back = new Greedy(new Random(2), 0.5) { Terms = s_equal, Active = (Simulation.At(2), long.MaxValue) };
        Greedy[] others = [.. Enumerable.Range(3, vgpus - 1).Select(seed => new Greedy(new Random(seed), 0.5) { Terms = s_equal })];
        using var simulation = new Simulation([lender, back, .. others]);

        // Until then each has its part, and from two slices after that the others have all.
        simulation.RunUntil(1);
        double quiet = (lender.Fences[^1] - Simulation.At(0) + (2 * simulation.Slice)) / 1e9;
        double[] before = [.. simulation.RunUntil(Math.Max(quiet, 1 + (2 * simulation.Slice / 1e9))).Given];
        double began = simulation.Now;
        double[] given = [.. simulation.RunUntil(2).Given];
        Assert.InRange((given.Sum() - before.Sum()) / (simulation.Now - began), 0.9, 1);
        Assert.Equal(before[0], given[0], 1.0);

        // What is left of a slice and of what is in flight, and a look at the table.
        simulation.RunUntil(2.5);
        Assert.InRange(back.Submissions[0] - Simulation.At(2), 0, (2 * simulation.Slice) + 300_000);
    }

    [Fact]
    public void One_that_was_idle_for_long_has_saved_nothing_up()
    {
        var late = new Greedy(new Random(1), 1) { Terms = s_equal, Active = (Simulation.At(5), long.MaxValue) };
        using var simulation = new Simulation(new Greedy(new Random(2), 1) { Terms = s_equal }, late);
        double before = simulation.RunUntil(5).Given[0];

        double[] given = [.. simulation.RunUntil(6).Given];

        Assert.InRange((given[0] - before) / given[1], 0.95, 1.05);
    }

    // A guest that does one thing after another keeps its turn between them.
    [Fact]
    public void One_that_waits_for_each_fence_has_its_share_too()
    {
        var drawing = new Drawing(jobs: 20, milliseconds: 0.4) { Terms = s_equal };
        using var simulation = new Simulation(drawing, new Greedy(new Random(2), 1) { Terms = s_equal });

        double[] given = [.. simulation.RunUntil(10).Given];

        Assert.InRange(given[0] / given.Sum(), 0.4, 0.55);
    }

    [Fact]
    public void Alone_it_waits_for_nobody()
    {
        using var simulation = new Simulation(new Greedy(new Random(2), 1) { Terms = s_equal }, new Greedy(new Random(3), 1) { Terms = s_equal, Active = (long.MaxValue, long.MaxValue) });

        Assert.InRange(simulation.RunUntil(5).Given[0] / 5e9, 0.98, 1);
    }
}
