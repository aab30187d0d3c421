// How far a virtqueue is, where its device survives its process: a successor goes on behind the last chain that was committed.
using Vgpu.Vfio.Migration;

namespace Vgpu.Virtio;

public sealed partial class Virtqueue
{
    // The device works on the chain that was popped last.
    private bool _isHandling;

    // The last saved state has no chain that is taken and not used.
    private bool _isSavedIdle;

    // The used index in the driver's memory may be one behind.
    private bool _republish;

    /// <summary>
    /// Whether a used chain is told by its number alone: no chain is outstanding, neither now nor in the saved state. The chain
    /// that is being pushed is not.
    /// </summary>
    internal bool IsPlain => _isSavedIdle && InFlight == 0 && _deferredCount == 0;

    /// <summary>The device has done with the chain that was popped, or keeps it; true: it keeps it.</summary>
    internal bool EndHandling()
    {
        _isHandling = false;
        _goesOn = false;
        _chain.Clear();
        return InFlight != 0;
    }

    /// <summary>
    /// After <see cref="LoadState"/>: so many chains were used since, one after the other. The driver learns of the last one
    /// now or once the ring can be reached.
    /// </summary>
    internal void Restore(ushort done, bool isReady)
    {
        bool isUsed = Enabled && isReady;
        StateReader.Require(done == 0 || (isUsed && InFlight + _deferredCount == 0), "chains of a queue that had none");
        _nextAvailable += done;
        _nextUsed += done;
        _republish = isUsed;
        if (_republish && _owner.Iommu.BusMaster)
        {
            _ = ResolveRing();
        }
    }

    private void Republish()
    {
        _republish = false;
        _ring.SetUsedIndex(_nextUsed);
        _ring.MarkUsedDirty((ushort)(_nextUsed - 1));
        _owner.InterruptDriver(this);
    }
}
