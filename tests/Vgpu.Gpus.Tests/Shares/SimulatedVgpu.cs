using Vgpu.Gpus.Shares;

namespace Vgpu.Gpus.Tests.Shares;

/// <summary>What a guest does, as its worker's renderer meets it: work that comes, and waits for fences.</summary>
internal abstract class SimulatedVgpu
{
    private int _inFlight;
    private int _fences;

    internal required ShareTerms Terms { get; init; }

    internal Guid Uuid { get; } = Guid.NewGuid();

    internal ShareGate? Gate { get; set; }

    /// <summary>When its thread looks next.</summary>
    internal long WakesAt { get; set; }

    /// <summary>Its worker was killed: nothing of it is heard any more.</summary>
    internal bool IsDead { get; set; }

    /// <summary>Times at which work was submitted.</summary>
    internal List<long> Submissions { get; } = [];

    /// <summary>Times at which its fences were seen.</summary>
    internal List<long> Fences { get; } = [];

    protected int InFlight => _inFlight;

    /// <summary>Work of it is done; its thread wakes by the fence.</summary>
    internal void Signal(long at)
    {
        _fences++;
        WakesAt = Math.Min(WakesAt, at);
    }

    /// <summary>One turn of its thread's loop.</summary>
    internal void Run(long now, Action<long> submit, Func<long> lateness)
    {
        for (; _fences > 0; _fences--)
        {
            _inFlight--;
            Fences.Add(now);
            Gate!.Finished(now);
            Done(now);
        }

        WakesAt = long.MaxValue;
        while (Next(now, out long at) is { } length)
        {
            if (at > now)
            {
                WakesAt = at;
                return;
            }

            if (!Gate!.MayRun(now, out long askAgain))
            {
                Assert.InRange(askAgain - now, 1, ShareGate.LongestWait);
                WakesAt = askAgain + lateness();
                return;
            }

            Take();
            _inFlight++;
            Submissions.Add(now);
            submit(length);
        }
    }

    /// <summary>The length of what is to be submitted next, not before a time; null: nothing before a fence comes.</summary>
    protected abstract long? Next(long now, out long at);

    /// <summary>It was submitted.</summary>
    protected virtual void Take()
    {
    }

    protected virtual void Done(long now)
    {
    }
}
