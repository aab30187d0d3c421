// A device that survives its process: what it changes is committed to a checkpoint, and a successor takes it from there.
using Microsoft.Extensions.Logging;
using Vgpu.Vfio.Migration;

namespace Vgpu.Vfio;

public abstract partial class VfioDevice
{
    private DeviceCheckpoint? _checkpoint;
    private volatile bool _changed;

    /// <summary>
    /// Where the device keeps its state so that it survives this process; null: nowhere, which costs nothing. Set before the
    /// device is served; stays the caller's. Throws <see cref="ArgumentException"/> where the device has no state that can be
    /// saved, or the checkpoint no room for it.
    /// </summary>
    public DeviceCheckpoint? Checkpoint
    {
        get => _checkpoint;
        set
        {
            if (value is not null && State is null)
            {
                throw new ArgumentException("The device does not save its state, so it can't be kept.", nameof(value));
            }

            if (value is not null && value.MaxStateLength < CheckpointSize)
            {
                throw new ArgumentException(
                    $"The checkpoint has room for {value.MaxStateLength} bytes of state, and this device may have {CheckpointSize}.", nameof(value));
            }

            using (InTurn())
            {
                _checkpoint = value;
                _changed = value is not null;
            }
        }
    }

    /// <summary>Bytes of a checkpoint's state at most; 0 where the device does not save its state.</summary>
    public long CheckpointSize => State?.MaxCheckpointLength ?? 0;

    /// <summary>
    /// Brings the device back as its predecessor's checkpoint has it. The successor of a killed process calls this when the
    /// client's memory is mapped, its interrupts are set and the device is open, before it takes any message. Interrupts are
    /// raised that the client may have had already, and queues looked at whose notification may have been lost.
    /// </summary>
    /// <param name="why">What is wrong with the checkpoint; null where there is none yet, or where it was restored.</param>
    /// <returns>
    /// False: there is no checkpoint, or none of this device with these options. The device is then as after a reset, and a
    /// checkpoint of that replaces it: its driver finds a device that was never set up, and goes on when it is loaded anew.
    /// </returns>
    public bool TryRestore(out string? why)
    {
        why = null;
        if (_checkpoint is not { } checkpoint || State is not { } state)
        {
            return false;
        }

        using (InTurn())
        {
            bool restored = false;
            IsRestoring = true;
            try
            {
                if (checkpoint.Read(out VfioDeviceState migration) is { } saved)
                {
                    state.LoadState(saved);
                    StateReader.Require(saved.Left == 0, "more than the state");
                    OnRestored();
                    Migration.Restore(migration);
                    restored = true;
                }
            }
            catch (InvalidDataException e)
            {
                why = e.Message;
            }
            finally
            {
                IsRestoring = false;
            }

            if (!restored)
            {
                Reset();
                Migration.Reset();
            }

            CommitAll();
            return restored;
        }
    }

    /// <summary>
    /// Whether a checkpoint is being loaded: memory that outlived the process is to be left as it is by the reset that comes
    /// before a load. Lock held.
    /// </summary>
    protected bool IsRestoring { get; private set; }

    /// <summary>Whether <see cref="StateChanged"/> was called since the last commit.</summary>
    protected bool HasChanged => _changed;

    /// <summary>
    /// Something changed that a checkpoint holds; the next <see cref="CommitState"/> saves it. Lock held. Costs nothing where
    /// there is no checkpoint.
    /// </summary>
    protected internal void StateChanged()
    {
        if (_checkpoint is not null)
        {
            _changed = true;
        }
    }

    /// <summary>
    /// Commits the changes, where there are any: to be called before anybody outside can see what came of them. Takes the lock
    /// where it is not held; then only between units of work.
    /// </summary>
    protected internal void CommitState()
    {
        if (!_changed)
        {
            return;
        }

        using (InTurn())
        {
            if (_changed && _checkpoint is { } checkpoint)
            {
                _changed = false;
                if (!checkpoint.Commit(State!, Migration.DeviceState))
                {
                    Iommu.Logger?.LogError("The device's state does not fit its checkpoint: it would not survive the process");
                }
            }
        }
    }

    /// <summary>Commits, whatever has changed.</summary>
    internal void CommitAll()
    {
        if (_checkpoint is not null)
        {
            _changed = true;
            CommitState();
        }
    }

    /// <summary>
    /// A checkpoint was loaded: the place to do again what nobody can know to have been seen, such as interrupts. Throws
    /// <see cref="InvalidDataException"/> as a load does. Lock held.
    /// </summary>
    protected virtual void OnRestored()
    {
    }
}
