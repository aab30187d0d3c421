// Turns on the host's GPU: what passes the gate before it is submitted, and the fences by which the time of it is measured.
using Vgpu.Gpus;
using Vgpu.Gpus.Shares;
using Vgpu.Linux;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>
/// A command that may not run yet is left in its queue, which comes again when it may: nobody waits for it with the device's lock, and
/// all that is asked of the thread meanwhile is done. The thread's own, but for what says otherwise.
/// </summary>
internal sealed partial class Rendering
{
    // Of a transfer, from which on it takes the GPU a time worth a turn.
    private const ulong CostlyPixels = 1 << 16;

    private readonly Func<IShareGate>? _makeShare;
    private readonly FencesDue _jobs = new(ShareGate.MaxInFlight);
    private IShareGate? _share;

    // What is under way passed the gate.
    private bool _isJob;

    // A fence that no guest asked for is due; work was submitted since that no fence is due for.
    private ulong _ownFence;
    private bool _hasUnfenced;

    // When the queue is to be worked on again; 0: nothing was left there.
    private long _again;

    /// <summary>Nanoseconds, by which turns and frames are timed.</summary>
    internal long Now => _patience.Clock();

    /// <summary>
    /// Within HandleChain: the chain is left, and comes again then at the latest. Device lock held.
    /// </summary>
    internal uint LeaveUntil(long time)
    {
        _again = _again == 0 ? Math.Max(1, time) : Math.Min(_again, time);
        return ControlCommand.Left;
    }

    /// <summary>
    /// Whether what a command submits may run now, which counts as submitted then: <see cref="WithdrawRun"/> where it is not after all.
    /// Otherwise the chain is to be left (<see cref="LeaveUntil"/>). Device lock held.
    /// </summary>
    /// <param name="isFenced">The guest has asked for its fence.</param>
    /// <param name="again">When to ask again.</param>
    internal bool MayRun(bool isFenced, out long again)
    {
        again = 0;
        if (_share is not { } share)
        {
            return true;
        }

        if (!isFenced && _ownFence != 0 && !share.TakesTurns)
        {
            // Nobody waits for its end: it is measured together with what comes until then.
            _hasUnfenced = true;
            return true;
        }

        _isJob = share.MayRun(Now, out again);
        return _isJob;
    }

    /// <summary>What may run is not run.</summary>
    internal void WithdrawRun()
    {
        if (_isJob)
        {
            _isJob = false;
            _share!.Finished(Now);
        }
    }

    internal static bool IsCostly(in RendererTransfer3D transfer) => (ulong)transfer.Width * transfer.Height * Math.Max(1, transfer.Depth) >= CostlyPixels;

    // A stream that fails may have had work done before that: it is measured like any other.
    private void FenceJob(in RendererFence fence)
    {
        if (!_isJob)
        {
            return;
        }

        _isJob = false;
        if (_needsFence)
        {
            _jobs.Add(fence);
        }
        else
        {
            FenceOwn();
        }
    }

    private void FenceOwn()
    {
        var own = new RendererFence(++_lastFence, 0, 0, HasRing: false);
        if (_renderer!.CreateFence(own) == Errno.None)
        {
            _ownFence = own.Id;
            _jobs.Add(own);
        }
        else
        {
            _share!.Finished(Now);
        }
    }

    private void EndJobs(in RendererFence fence)
    {
        while (_jobs.TryTake(fence))
        {
            _share!.Finished(Now);
        }

        if (_ownFence != 0 && !fence.HasRing && fence.Id >= _ownFence)
        {
            _ownFence = 0;
            if (_hasUnfenced)
            {
                _hasUnfenced = false;
                if (_share!.MayRun(Now, out _))
                {
                    FenceOwn();
                }
            }
        }
    }

    private void ResetJobs()
    {
        _jobs.Clear();
        _isJob = false;
        _hasUnfenced = false;
        _ownFence = 0;
        _share?.Reset(Now);
    }
}
