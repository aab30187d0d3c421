// A virtio device that survives its process: when its state is committed, and what a successor does first.
using Vgpu.Vfio.Migration;
using static Vgpu.Virtio.VirtioPci;

namespace Vgpu.Virtio;

public sealed partial class VirtioPciTransport
{
    // A device that was restored brings back what the checkpoint left out, before it works on its queues.
    private bool _isRecovering;

    Virtqueue IVirtioTransport.QueueAt(int index) => _queues[index];

    void IVirtioTransport.StateChanged() => StateChanged();

    void IVirtioTransport.CommitState() => CommitState();

    long IVirtioTransport.CheckpointRoom => Checkpoint is { } checkpoint
        ? checkpoint.MaxStateLength - (CheckpointSize - ((IVfioMigratable)_device).MaxCheckpointLength)
        : long.MaxValue;

    void IVirtqueueOwner.Commit(Virtqueue queue)
    {
        if (Checkpoint is not { } checkpoint)
        {
            return;
        }

        if (HasChanged || !queue.IsPlain)
        {
            StateChanged();
            CommitState();
        }
        else
        {
            checkpoint.Advance(queue.Index);
        }
    }

    void IVirtqueueOwner.CommitLater()
    {
        StateChanged();
        CommitState();
    }

    /// <inheritdoc/>
    protected override void OnRestored()
    {
        _isRecovering = true;
        foreach (Virtqueue queue in _queues)
        {
            queue.Restore(Checkpoint!.Done(queue.Index), _common.IsDriverReady);
        }

        base.OnRestored();
        lock (IntxLock)
        {
            // The driver may have read the status, and the answer may have been lost.
            bool mayPend = _common.IsDriverReady && !MsixEnabled;
            _isr = mayPend ? (byte)(VIRTIO_PCI_ISR_QUEUE | VIRTIO_PCI_ISR_CONFIG) : (byte)0;
            SetIntx(mayPend);
        }

        WakeAll();
    }

    // Lock held. False: not ready for chains yet; more: at once, otherwise later.
    private bool TryRecover(int index, out bool more)
    {
        more = false;
        if (!Iommu.BusMaster || !Migration.IsRunning)
        {
            return false;
        }

        try
        {
            switch (_device.Recover())
            {
                case RecoveryStep.More:
                    more = true;
                    return false;
                case RecoveryStep.Later:
                    _worker.WakeLater(index);
                    return false;
            }
        }
        catch (Exception exception)
        {
            DeviceFailed(exception);
        }

        _isRecovering = false;
        return true;
    }

    // A state that is moved on before the recovery was done holds what it would have brought back.
    private void EndRecovery()
    {
        while (_isRecovering && Iommu.BusMaster && _device.Recover() == RecoveryStep.More)
        {
        }

        _isRecovering = false;
    }
}
