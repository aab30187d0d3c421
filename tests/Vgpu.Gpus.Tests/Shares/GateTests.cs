using System.Diagnostics;
using Vgpu.Gpus.Shares;
using Vgpu.Linux;

namespace Vgpu.Gpus.Tests.Shares;

/// <summary>Gates on real shared memory, each by a map of its own, as processes have them, and by the machine's own clock.</summary>
public sealed class GateTests
{
    private static readonly ShareOptions s_slow = new() { TimeSlice = ShareOptions.MaxTimeSlice };

    [Fact]
    public void Threads_take_turns_and_one_that_is_gone_is_passed_by()
    {
        using FileDescriptor file = ShareTable.CreateFile(s_slow);
        using var table = new ShareTable(file);
        Guid[] vgpus = [Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid()];
        Assert.All(vgpus, vgpu => Assert.True(table.TrySet(vgpu, new ShareTerms(SharePolicy.EqualShare, 1))));

        // The first dies with the turn: it has begun work, and is never heard of again.
        using FileDescriptor its = file.Duplicate();
        using (var dead = new ShareGate(new ShareTable(its), vgpus[0], Stopwatch.GetTimestamp()))
        {
            Assert.True(dead.MayRun(Stopwatch.GetTimestamp(), out _));
        }

        int inside = 0;
        int[] done = new int[2];
        Thread[] threads = [.. vgpus[1..].Select((vgpu, i) => new Thread(() =>
        {
            using FileDescriptor own = file.Duplicate();
            using var gate = new ShareGate(new ShareTable(own), vgpu, Stopwatch.GetTimestamp());
            using var fence = new ManualResetEventSlim();
            while (Volatile.Read(ref done[i]) < 20)
            {
                if (!gate.MayRun(Stopwatch.GetTimestamp(), out long askAgain))
                {
                    fence.Wait(TimeSpan.FromTicks(Math.Max(1, (askAgain - Stopwatch.GetTimestamp()) / 100)));
                    continue;
                }

                // Work of less than a slice, by whoever is alone in here.
                Interlocked.Increment(ref inside);
                fence.Wait(1);
                if (Interlocked.Decrement(ref inside) == 0)
                {
                    Interlocked.Increment(ref done[i]);
                }

                gate.Finished(Stopwatch.GetTimestamp());
            }
        }))];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        Assert.All(threads, thread => Assert.True(thread.Join(TimeSpan.FromSeconds(60)), "a gate did not open"));
        Assert.Equal([20, 20], done);
        table.Remove(vgpus[0], Stopwatch.GetTimestamp());
        Assert.False(table.TryRead(vgpus[0], Stopwatch.GetTimestamp(), out _));
    }

    [Fact]
    public void Asking_allocates_nothing()
    {
        using FileDescriptor file = ShareTable.CreateFile(new ShareOptions());
        using var table = new ShareTable(file);
        Guid[] vgpus = [Guid.NewGuid(), Guid.NewGuid()];
        Assert.All(vgpus, vgpu => Assert.True(table.TrySet(vgpu, new ShareTerms(SharePolicy.FixedShare, 8))));
        using var one = new ShareGate(new ShareTable(file), vgpus[0], 1);
        using var other = new ShareGate(new ShareTable(file), vgpus[1], 1);
        long now = 1_000_000_000;
        Play();

        long before = GC.GetAllocatedBytesForCurrentThread();
        Play();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Play()
        {
            for (int i = 0; i < 1000; i++)
            {
                now += 100_000;
                bool hasBegun = one.MayRun(now, out _);
                _ = other.MayRun(now + 10, out _);
                if (hasBegun)
                {
                    one.Finished(now += 300_000);
                }

                other.Finished(now += 10_000);
            }
        }
    }

    [Fact]
    public void The_table_is_full_at_so_many_and_slots_are_used_again()
    {
        using FileDescriptor file = ShareTable.CreateFile(new ShareOptions());
        using var table = new ShareTable(file);
        var terms = new ShareTerms(SharePolicy.BestEffort, 1);
        Guid[] vgpus = [.. Enumerable.Range(0, ShareTable.MaxVgpus).Select(_ => Guid.NewGuid())];
        Assert.All(vgpus, vgpu => Assert.True(table.TrySet(vgpu, terms)));

        Assert.False(table.TrySet(Guid.NewGuid(), terms));
        Assert.True(table.TrySet(vgpus[7], terms));
        table.Remove(vgpus[7], 0);
        var late = Guid.NewGuid();
        Assert.True(table.TrySet(late, terms));
        Assert.True(table.TryRead(late, 0, out ShareUse use));
        Assert.Equal(default, use);
        Assert.Throws<ArgumentException>(() => new ShareGate(new ShareTable(file), vgpus[7], 0));
    }

    [Theory]
    [InlineData(SharePolicy.FixedShare, 0)]
    [InlineData(SharePolicy.FixedShare, 17)]
    [InlineData((SharePolicy)0, 1)]
    [InlineData((SharePolicy)4, 1)]
    public void Terms_that_are_none_are_refused(SharePolicy policy, int weight)
    {
        using FileDescriptor file = ShareTable.CreateFile(new ShareOptions());
        using var table = new ShareTable(file);

        Assert.ThrowsAny<ArgumentException>(() => table.TrySet(Guid.NewGuid(), new ShareTerms(policy, weight)));
    }

    [Theory]
    [InlineData(999_999, 33)]
    [InlineData(30_000_001, 33)]
    [InlineData(2_000_000, 0)]
    [InlineData(2_000_000, 61)]
    public void Options_that_are_none_are_refused(long slice, int averagingFactor) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ShareTable.CreateFile(new ShareOptions { TimeSlice = slice, AveragingFactor = averagingFactor }));
}
