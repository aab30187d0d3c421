using FsCheck;
using FsCheck.Fluent;
using Vgpu.Gpus.Shares;

namespace Vgpu.Gpus.Tests.Shares;

// Whatever vGPUs share a GPU, with whatever jobs, slices and factors.
public sealed class ShareProperties
{
    private const double Seconds = 2;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Nobody_starves_nobody_has_more_than_was_promised_and_nobody_is_charged_for_more_than_there_was(ulong seed) =>
        Prop.ForAll(Arb.From(AnyParent, Fewer), Holds).Check(Config.QuickThrowOnFailure.WithQuietOnSuccess(true).WithMaxTest(60).WithReplay(seed, 1));

    private static Gen<Guest> AnyGuest { get; } =
        from policy in Gen.Elements(SharePolicy.BestEffort, SharePolicy.EqualShare, SharePolicy.FixedShare)
        from weight in Gen.Choose(1, 16)
        from job in Gen.Elements(1, 3, 10, 40, 90)
        select new Guest(policy, weight, job);

    private static Gen<Gpu> AnyParent { get; } =
        from guests in Gen.Choose(1, 6).SelectMany(count => AnyGuest.ArrayOf(count))
        from slice in Gen.Choose(1, 8)
        from factor in Gen.Elements(1, 8, 33, 60)
        select new Gpu(guests, slice, factor);

    private static IEnumerable<Gpu> Fewer(Gpu parent) => parent.Guests.Length < 2
        ? []
        : parent.Guests.Select((_, i) => parent with { Guests = [.. parent.Guests.Where((_, j) => j != i)] });

    private static void Holds(Gpu parent)
    {
        var options = new ShareOptions { TimeSlice = parent.Slice * 1_000_000, AveragingFactor = parent.AveragingFactor };
        Greedy[] vgpus = [.. parent.Guests.Select((guest, i) => new Greedy(new Random(i), guest.Job / 10.0) { Terms = new ShareTerms(guest.Policy, guest.Weight) })];
        using var simulation = new Simulation(options, vgpus);
        simulation.RunUntil(Seconds);
        double all = Seconds * 1e9;
        ShareTotals totals = simulation.Table.Totals();
        for (int i = 0; i < vgpus.Length; i++)
        {
            ShareTerms terms = vgpus[i].Terms;
            double promised = totals.WeightOf(terms) / (double)(totals.Whole * ShareTotals.Unit);
            double longest = vgpus.Length * 2 * Math.Max(parent.Slice, parent.Guests.Max(guest => guest.Job) / 10.0 * 1.25) * 1e6;
            Assert.True(simulation.Given[i] >= (0.5 * promised * all) - longest, $"{terms} was given {simulation.Given[i] / all:0.000} of {promised:0.000}");
            if (terms.Policy == SharePolicy.FixedShare)
            {
                Assert.True(simulation.Given[i] <= (1.05 * promised * all) + longest, $"{terms} was given {simulation.Given[i] / all:0.000} of {promised:0.000}");
            }
        }

        Assert.True(vgpus.Sum(vgpu => simulation.UseOf(vgpu).Used) <= 1.05 * all, "more was charged than there was");
    }

    internal sealed record Guest(SharePolicy Policy, int Weight, int Job);

    internal sealed record Gpu(Guest[] Guests, int Slice, int AveragingFactor)
    {
        public override string ToString() => $"{string.Join(", ", Guests.AsEnumerable())}; slice {Slice} ms, averaging factor {AveragingFactor}";
    }
}
