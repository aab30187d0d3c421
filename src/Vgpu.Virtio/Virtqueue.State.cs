// A virtqueue as saved state: how the driver set it up, how far it is, and which chains the device holds or has done
// without being able to say so. The rings themselves are in the driver's memory.
using System.Numerics;
using System.Runtime.InteropServices;
using Vgpu.Vfio.Migration;

namespace Vgpu.Virtio;

public sealed partial class Virtqueue
{
    /// <summary>Bytes of a saved state at most.</summary>
    internal int MaxStateLength => Marshal.SizeOf<SavedQueue>() + (_inFlight.Length * sizeof(ulong)) + (MaxSize * 2 * sizeof(uint));

    internal void SaveState(StateWriter state)
    {
        // A chain that the device is working on is not taken yet for a successor, which works on it anew.
        ushort head = _chain.Head;
        bool untake = state.IsCheckpoint && _isHandling && IsInFlight(head);
        Span<ulong> taken = stackalloc ulong[_inFlight.Length];
        _inFlight.CopyTo(taken);
        if (untake)
        {
            taken[head >> 6] &= ~(1UL << (head & 63));
        }

        Span<(ushort Head, uint Written)> deferred = _deferred.AsSpan(_flushed, _deferredCount - _flushed);
        if (state.IsCheckpoint)
        {
            _isSavedIdle = InFlight - (untake ? 1 : 0) + deferred.Length == 0;
        }

        state.Write(new SavedQueue
        {
            DescriptorArea = DescriptorArea,
            DriverArea = DriverArea,
            DeviceArea = DeviceArea,
            MaxSize = MaxSize,
            Size = Size,
            Vector = Vector,
            NextAvailable = (ushort)(_nextAvailable - (untake ? 1 : 0)),
            NextUsed = _nextUsed,
            Deferred = (ushort)deferred.Length,
            Enabled = Enabled ? (ushort)1 : (ushort)0,
        });
        state.Write(MemoryMarshal.AsBytes(taken));
        foreach ((ushort done, uint written) in deferred)
        {
            state.Write((uint)done);
            state.Write(written);
        }
    }

    /// <summary>
    /// After a reset; <paramref name="vectors"/> as the transport has them. Only what a driver's writes and whole chains could
    /// have brought about is taken, so that no head and no count is ever beyond its table.
    /// </summary>
    internal void LoadState(StateReader state, int vectors)
    {
        SavedQueue saved = state.Read<SavedQueue>();
        StateReader.Require(saved.MaxSize == MaxSize, "a queue of another size");
        StateReader.Require(saved.Size <= MaxSize && BitOperations.IsPow2(saved.Size), "the size of a queue");
        StateReader.Require(saved.Vector < vectors || saved.Vector == VirtioPci.VIRTIO_MSI_NO_VECTOR, "a vector that is not there");
        StateReader.Require(
            saved.Enabled == 0 || (saved.Enabled == 1 && RingMemory.IsAligned(saved.DescriptorArea, saved.DriverArea, saved.DeviceArea)),
            "a ring that is not aligned");
        Size = saved.Size;
        DescriptorArea = saved.DescriptorArea;
        DriverArea = saved.DriverArea;
        DeviceArea = saved.DeviceArea;
        Vector = saved.Vector;
        Enabled = saved.Enabled == 1;
        _nextAvailable = saved.NextAvailable;
        _nextUsed = saved.NextUsed;
        LoadHeads(state, saved.Deferred);
        int outstanding = InFlight + _deferredCount;
        StateReader.Require((ushort)(_nextAvailable - _nextUsed) == outstanding, "the indexes of a queue");
        StateReader.Require(Enabled || (_nextAvailable | _nextUsed) == 0, "chains of a queue that is not enabled");
    }

    private void LoadHeads(StateReader state, int deferred)
    {
        state.Read(MemoryMarshal.AsBytes(_inFlight.AsSpan()));
        Span<ulong> taken = stackalloc ulong[_inFlight.Length];
        _inFlight.CopyTo(taken);
        InFlight = Count(taken, Size);
        StateReader.Require(deferred <= Size - InFlight, "more chains than a queue has");
        for (int i = 0; i < deferred; i++)
        {
            uint head = state.Read<uint>();
            uint written = state.Read<uint>();
            StateReader.Require(head < Size && (taken[(int)head >> 6] & (1UL << ((int)head & 63))) == 0, "a chain that is done twice");
            taken[(int)head >> 6] |= 1UL << ((int)head & 63);
            _deferred[i] = ((ushort)head, written);
        }

        _deferredCount = deferred;
    }

    private static int Count(ReadOnlySpan<ulong> heads, int size)
    {
        int count = 0;
        for (int i = 0; i < heads.Length; i++)
        {
            int here = Math.Clamp(size - (64 * i), 0, 64);
            StateReader.Require(here == 64 || heads[i] >> here == 0, "a chain beyond its queue");
            count += BitOperations.PopCount(heads[i]);
        }

        return count;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct SavedQueue
    {
        internal ulong DescriptorArea;
        internal ulong DriverArea;
        internal ulong DeviceArea;
        internal ushort MaxSize;
        internal ushort Size;
        internal ushort Vector;
        internal ushort NextAvailable;
        internal ushort NextUsed;
        internal ushort Deferred;
        internal ushort Enabled;
    }
}
