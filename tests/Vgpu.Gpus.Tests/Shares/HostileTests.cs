using Vgpu.Gpus.Shares;
using Vgpu.Linux;

namespace Vgpu.Gpus.Tests.Shares;

/// <summary>Guests and workers that do what they can to have more than their share, or to keep others from theirs.</summary>
public sealed class HostileTests
{
    // The others draw as before, when one of them that used its share becomes one that submits without an end.
    [Theory]
    [InlineData(SharePolicy.FixedShare, 1, false)]
    [InlineData(SharePolicy.FixedShare, 30, false)]
    [InlineData(SharePolicy.EqualShare, 1, false)]
    [InlineData(SharePolicy.EqualShare, 30, false)]
    [InlineData(SharePolicy.FixedShare, 1, true)]
    [InlineData(SharePolicy.EqualShare, 1, true)]
    public void Endless_submission_moves_the_others_frame_times_by_less_than_a_tenth(SharePolicy policy, double longest, bool isInOrder)
    {
        var terms = new ShareTerms(policy, 4);
        double[] honest = FrameTimes(new Greedy(new Random(9), 1) { Terms = terms });
        double[] hostile = FrameTimes(new Hostile(longest) { Terms = terms });

        Assert.All(hostile.Zip(honest), frame => Assert.InRange(frame.First / frame.Second, 0.9, 1.1));

        double[] FrameTimes(SimulatedVgpu fourth)
        {
            Drawing[] drawing = [.. Enumerable.Range(0, 3).Select(_ => new Drawing(jobs: 6, milliseconds: 0.5) { Terms = terms })];
            using var simulation = new Simulation(new ShareOptions(), isInOrder, [.. drawing, fourth]);
            simulation.RunUntil(10);
            return [.. drawing.Select(vgpu => vgpu.FrameTimes.Average())];
        }
    }

    // One that dies with work in flight holds the turn for what is left of its slice, and for one slice more.
    [Theory]
    [InlineData(SharePolicy.FixedShare)]
    [InlineData(SharePolicy.EqualShare)]
    public void One_that_dies_with_the_turn_stops_the_others_for_no_more_than_a_slice(SharePolicy policy)
    {
        var terms = new ShareTerms(policy, 8);
        var dying = new Hostile(1) { Terms = terms };
        var other = new Greedy(new Random(2), 0.4) { Terms = terms };
        using var simulation = new Simulation(dying, other);
        double seconds = 1;
        do
        {
            simulation.RunUntil(seconds += 0.0001);
            Assert.True(seconds < 3, "it never has the turn");
        }
        while (!IsAmidst(dying, simulation));

        int before = other.Submissions.Count;
        dying.IsDead = true;
        long died = simulation.Now;
        simulation.RunUntil(seconds + 1);

        Assert.InRange(Simulation.Since(other.Submissions[before]) - died, 0, (2 * simulation.Slice) + 200_000);

        // Until the daemon has buried it, it is passed by; a fixed share goes on as before, an equal one has all.
        Assert.InRange(other.Submissions.Count - before, (policy == SharePolicy.FixedShare ? 0.45 : 0.85) * 1000 / 0.4, 1000 / 0.35);
    }

    [Fact]
    public void One_that_says_that_it_waits_and_never_runs_costs_no_more_than_it_might_have_had()
    {
        var terms = new ShareTerms(SharePolicy.EqualShare, 1);
        var other = new Greedy(new Random(2), 0.5) { Terms = terms };
        var liar = new Greedy(new Random(3), 0.5) { Terms = terms, Active = (long.MaxValue, long.MaxValue) };
        using var simulation = new Simulation(other, liar);
        ref ShareSlot slot = ref simulation.Table.Slot(simulation.Table.Find(liar.Uuid));
        slot.WantsUntil = long.MaxValue / 2;
        slot.VirtualTime = long.MinValue / 2;

        Assert.InRange(simulation.RunUntil(5).Given[0] / 5e9, 0.5, 1);
    }

    // Whatever is in the table: an answer, and a wait that ends.
    [Fact]
    public void Any_bytes_in_the_table_are_survived()
    {
        var random = new Random(4);
        byte[] noise = new byte[128 * ShareSlot.Size];
        for (int round = 0; round < 200; round++)
        {
            using FileDescriptor file = ShareTable.CreateFile(new ShareOptions());
            using var table = new ShareTable(file);
            var own = Guid.NewGuid();
            Assert.True(table.TrySet(own, new ShareTerms(SharePolicy.EqualShare, 1)));
            for (int i = 0; i < 5; i++)
            {
                Assert.True(table.TrySet(Guid.NewGuid(), new ShareTerms(SharePolicy.FixedShare, 3)));
            }

            using var gate = new ShareGate(new ShareTable(file), own, 1_000_000_000);
            using (var memory = MemoryMapping.Share(file, 0, file.Inspect().Size, MemoryProtection.ReadWrite))
            {
                random.NextBytes(noise);
                noise.AsSpan(0, noise.Length - ShareSlot.Size).CopyTo(memory.Span[(4096 + ShareSlot.Size)..]);
                random.NextBytes(memory.Span[64..72]);
            }

            long now = 2_000_000_000;
            for (int i = 0; i < 100; i++)
            {
                if (gate.MayRun(now, out long askAgain))
                {
                    gate.Finished(now += 1_000_000);
                }
                else
                {
                    Assert.InRange(askAgain - now, 1, ShareGate.LongestWait);
                    now = askAgain;
                }
            }

            gate.Reset(now);
        }
    }

    [Fact]
    public void A_file_that_is_no_table_is_refused()
    {
        using FileDescriptor shorter = MemFd.Create("shorter", 4096);
        using FileDescriptor another = MemFd.Create("another", 4096 + (ShareTable.MaxVgpus * ShareSlot.Size));
        using FileDescriptor unsealed = MemFd.Create("unsealed", 4096 + (ShareTable.MaxVgpus * ShareSlot.Size), Seals.None);

        Assert.All([shorter, another, unsealed], file => Assert.Throws<InvalidDataException>(() => new ShareTable(file)));
    }

    private static bool IsAmidst(Hostile vgpu, Simulation simulation) =>
        ShareTable.HolderOf(simulation.Table.Turn) == simulation.Table.Find(vgpu.Uuid) && simulation.Table.Slot(simulation.Table.Find(vgpu.Uuid)).InFlightSince != 0;
}
