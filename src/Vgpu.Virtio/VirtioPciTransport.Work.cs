// The work of a device's queues: one chain at a time, on the worker or a thread of the device's own, with the device's lock held.
namespace Vgpu.Virtio;

public sealed partial class VirtioPciTransport
{
    bool IVirtioTransport.Work(int queue) => WorkLocked(queue);

    void IVirtioTransport.EndWork(int queue)
    {
        if (_queues[queue].IsGoingOn)
        {
            EndChain(_queues[queue]);
        }

        CommitState();
    }

    /// <summary>One chain of one queue; false where the queue has no more for now.</summary>
    private bool WorkOnce(int index)
    {
        if (_device.HasOwnThread(index))
        {
            // It was to be looked at later, and this is later.
            _device.QueueReady(index);
            return false;
        }

        using (InTurn())
        {
            return WorkLocked(index);
        }
    }

    private bool WorkLocked(int index)
    {
        if (_isRecovering && !TryRecover(index, out bool more))
        {
            return more;
        }

        Virtqueue queue = _queues[index];
        if (!_common.IsDriverReady || _common.IsBroken || !queue.Enabled || queue.IsGoingOn || !Iommu.BusMaster || !Migration.IsRunning)
        {
            return false;
        }

        try
        {
            return WorkOn(queue);
        }
        catch (Exception exception)
        {
            queue.EndHandling();
            DeviceFailed(exception);
            return false;
        }
        finally
        {
            CommitState();
        }
    }

    private bool WorkOn(Virtqueue queue)
    {
        switch (queue.TryPop())
        {
            case PopResult.Unmapped when queue.AwaitRemap():
                return false;
            case PopResult.Unmapped:
                NeedsReset($"queue {queue.Index}: memory that is not mapped");
                return false;
            case PopResult.Ready:
                _device.HandleChain(queue.Index, queue, queue.Chain);
                return queue.IsGoingOn || EndChain(queue);
            case PopResult.Broken:
                NeedsReset($"queue {queue.Index}: {queue.Fault}");
                return false;
            default:
                queue.EndAwait();
                return false;
        }
    }

    private bool EndChain(Virtqueue queue)
    {
        if (queue.EndHandling())
        {
            StateChanged();
        }

        return !queue.TakeLeft();
    }
}
