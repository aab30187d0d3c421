namespace Vgpu.Gpus.Shares;

/// <summary>
/// What a renderer's thread passes before it submits a guest's work, and tells when that is done. One thread; nothing here blocks
/// or allocates. Times are nanoseconds of the monotonic clock (<see cref="System.Diagnostics.Stopwatch.GetTimestamp"/> on Linux).
/// </summary>
public interface IShareGate : IDisposable
{
    /// <summary>
    /// Whether vGPUs take turns: then the end of all that was submitted must be told as soon as it can be. Otherwise whatever has no
    /// fence may be measured together with what comes after it.
    /// </summary>
    bool TakesTurns { get; }

    /// <summary>
    /// Whether work may be submitted now. True: it counts as submitted, until <see cref="Finished"/>. False: ask again at
    /// <paramref name="askAgain"/>, or earlier where a fence comes, as long as there is something to submit.
    /// </summary>
    bool MayRun(long now, out long askAgain);

    /// <summary>The fence of the oldest submitted work has come.</summary>
    void Finished(long now);

    /// <summary>Nothing is left of what was submitted or waited: the guest's driver was reset.</summary>
    void Reset(long now);
}
