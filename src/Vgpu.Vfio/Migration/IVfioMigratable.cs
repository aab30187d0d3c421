namespace Vgpu.Vfio.Migration;

/// <summary>
/// What a device implements to be moved from one server to another, and to survive its process: the save and the load of its
/// state. All else of migration (states, transfer, dirty pages) is <see cref="VfioMigration"/>'s and the domain's, all else of
/// survival is <see cref="DeviceCheckpoint"/>'s.
/// </summary>
public interface IVfioMigratable
{
    /// <summary>Bytes that a saved state takes at most; what a client sends beyond it is refused.</summary>
    long MaxStateLength { get; }

    /// <summary>The same of a checkpoint, which may leave much out (<see cref="StateWriter.IsCheckpoint"/>).</summary>
    long MaxCheckpointLength => MaxStateLength;

    /// <summary>
    /// False: the device holds something now that can't be saved, such as what a guest made in a host's GPU; a checkpoint leaves
    /// it out, and a move is refused until it is gone. Device lock held.
    /// </summary>
    bool IsMovable => true;

    /// <summary>
    /// Writes the whole state. Device lock held; the device is stopped and stays as it is, or it is between two units of work
    /// and a checkpoint is taken. Allocates nothing for a checkpoint, if it can.
    /// </summary>
    void SaveState(StateWriter state);

    /// <summary>
    /// Takes over a state that <see cref="SaveState"/> of the same type of device wrote, or somebody hostile. Device lock
    /// held; the device is stopped. It does no DMA: the client's memory may be mapped later. Throws
    /// <see cref="InvalidDataException"/> where the bytes are not such a state; the device is then reset before it is
    /// used again.
    /// </summary>
    void LoadState(StateReader state);
}
