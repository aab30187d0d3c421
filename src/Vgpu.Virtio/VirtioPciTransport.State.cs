// The transport of a device that moves to another server: stopping, going on, and the state of the registers and queues.
using Vgpu.Vfio.Migration;
using static Vgpu.Virtio.VirtioPci;

namespace Vgpu.Virtio;

public sealed partial class VirtioPciTransport : IVfioMigratable
{
    // A configuration change that came while the device was stopped, and waits for it to go on.
    private bool _configPending;

    bool IVirtqueueOwner.IsRunning => Migration.IsRunning;

    long IVfioMigratable.MaxStateLength => TransportLength + ((IVfioMigratable)_device).MaxStateLength;

    bool IVfioMigratable.IsMovable => ((IVfioMigratable)_device).IsMovable;

    /// <summary>Null where the device that is carried does not save and load its state.</summary>
    protected override IVfioMigratable? State => _device is IVfioMigratable ? base.State : null;

    /// <inheritdoc/>
    protected override void OnRunning(bool running)
    {
        base.OnRunning(running);
        try
        {
            _device.OnRunning(running);
        }
        catch (Exception exception)
        {
            DeviceFailed(exception);
        }

        if (!running)
        {
            return;
        }

        foreach (Virtqueue queue in _queues)
        {
            // The time that it was stopped is not the driver's.
            queue.EndAwait();
        }

        if (_configPending)
        {
            _configPending = false;
            ConfigChanged();
        }

        WakeAll();
    }

    long IVfioMigratable.MaxCheckpointLength => TransportLength + ((IVfioMigratable)_device).MaxCheckpointLength;

    private long TransportLength =>
        VirtioCommonConfig.StateLength + (2 * sizeof(byte)) + _queues.Sum(queue => (long)queue.MaxStateLength);

    void IVfioMigratable.SaveState(StateWriter state)
    {
        if (!state.IsCheckpoint)
        {
            EndRecovery();
        }

        _common.SaveState(state);
        lock (IntxLock)
        {
            // The status is read without the device's lock: a checkpoint has none, and its successor raises all.
            state.Write(state.IsCheckpoint ? (byte)0 : _isr);
        }

        state.Write(_configPending ? (byte)1 : (byte)0);
        foreach (Virtqueue queue in _queues)
        {
            queue.SaveState(state);
        }

        ((IVfioMigratable)_device).SaveState(state);
    }

    void IVfioMigratable.LoadState(StateReader state)
    {
        _common.LoadState(state);
        byte isr = state.Read<byte>();
        byte pending = state.Read<byte>();
        StateReader.Require((isr & ~(VIRTIO_PCI_ISR_QUEUE | VIRTIO_PCI_ISR_CONFIG)) == 0 && pending <= 1, "the interrupt status");
        foreach (Virtqueue queue in _queues)
        {
            queue.LoadState(state, VectorCount);
        }

        StateReader.Require(state.IsCheckpoint || IntxAsserted == (isr != 0), "a pin that the register which lowers it does not know of");
        lock (IntxLock)
        {
            _isr = isr;
        }

        if (_common.IsDriverReady)
        {
            ((IVirtioCommonConfigOwner)this).DriverReady(_common.DriverFeatures);
        }

        ((IVfioMigratable)_device).LoadState(state);
        _configPending = pending == 1;
    }
}
