// What of a PCI function moves to another server, or to its successor in this place: config space, MSI-X table, the level of INTx, memory of BARs; then what
// the device itself saves. The registers behind trapped BARs are the device's, the expansion ROM is the operator's.
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.Vfio.Migration;

namespace Vgpu.Pci;

public abstract partial class PciFunction
{
    private FunctionState? _state;

    /// <summary>
    /// The function's own state and then that of a subclass that is <see cref="IVfioMigratable"/>; null where it is not. The
    /// subclass need not know what is moved for it: when its turn comes the function is as after a reset, with the other's
    /// config space, memory and level of INTx.
    /// </summary>
    protected override IVfioMigratable? State => this is IVfioMigratable own ? _state ??= new FunctionState(this, own) : null;

    /// <summary>
    /// Raises every vector, as it may have been raised and lost; INTx was raised by the load where its level is high. An override
    /// calls it. Lock held.
    /// </summary>
    protected override void OnRestored()
    {
        for (int vector = 0; vector < VectorCount && MsixEnabled; vector++)
        {
            TriggerMsix(vector);
        }
    }

    /// <summary>Holds INTx back while the device is stopped. An override calls it. Lock held.</summary>
    protected override void OnRunning(bool running) => _intx.SetRunning(running);

    /// <summary>The level of INTx, whatever masks it. Any thread.</summary>
    protected bool IntxAsserted => _intx.Asserted;

    /// <summary>A register or the MSI-X table was written. Lock held.</summary>
    internal void OnRegisterWritten() => StateChanged();

    /// <summary>Before the access is answered. Lock held.</summary>
    internal void Commit() => CommitState();

    private IEnumerable<(MemoryBar Bar, FileDescriptor File)> MemoryBars()
    {
        for (int i = 0; i < _bars.Length; i++)
        {
            if (_bars[i]?.Memory is { } file)
            {
                yield return ((MemoryBar)_handlers[i]!, file);
            }
        }
    }

    private sealed class FunctionState(PciFunction function, IVfioMigratable own) : IVfioMigratable
    {
        public long MaxStateLength => FunctionLength + function.MemoryBars().Sum(memory => memory.Bar.MaxStateLength) + own.MaxStateLength;

        public bool IsMovable => own.IsMovable;

        public long MaxCheckpointLength => FunctionLength + own.MaxCheckpointLength;

        private long FunctionLength
        {
            get
            {
                function.LayOut();
                return (function._regions.Length * (long)(sizeof(ulong) + sizeof(uint))) + PciConfigSpace.StateLength
                    + (function._msixTable?.StateLength ?? 0) + sizeof(byte);
            }
        }

        public void SaveState(StateWriter state)
        {
            function.LayOut();
            foreach (VfioRegion region in function._regions)
            {
                state.Write(region.Size);
                state.Write((uint)region.Flags);
            }

            function._config.SaveState(state);
            function._msixTable?.SaveState(state);
            state.Write(function.IntxAsserted ? (byte)1 : (byte)0);
            if (!state.IsCheckpoint)
            {
                foreach ((MemoryBar bar, FileDescriptor file) in function.MemoryBars())
                {
                    bar.SaveState(file, state);
                }
            }

            own.SaveState(state);
        }

        public void LoadState(StateReader state)
        {
            function.LayOut();
            function.ResetAll();
            try
            {
                foreach (VfioRegion region in function._regions)
                {
                    StateReader.Require(
                        state.Read<ulong>() == region.Size && state.Read<uint>() == (uint)region.Flags, "the state of a function with other regions");
                }

                LoadFunction(state);
                own.LoadState(state);
                StateReader.Require(state.Left == 0, "more than the state");
            }
            catch
            {
                // Nothing of a bad state stays.
                function.ResetAll();
                foreach ((MemoryBar bar, FileDescriptor file) in function.MemoryBars())
                {
                    bar.Clear(file);
                }

                throw;
            }
        }

        private void LoadFunction(StateReader state)
        {
            function._config.LoadState(state);
            function._msixTable?.LoadState(state);
            byte asserted = state.Read<byte>();
            StateReader.Require(asserted <= 1, "the level of INTx");
            function.ApplyCommand();
            function._intx.SetLevel(asserted != 0);
            if (!state.IsCheckpoint)
            {
                foreach ((MemoryBar bar, FileDescriptor file) in function.MemoryBars())
                {
                    bar.LoadState(file, state);
                }
            }

            if (function.Iommu.BusMaster)
            {
                function.OnBusMaster(true);
            }
        }
    }
}
