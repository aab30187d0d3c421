// Commands that are done but for their fences: chains that the driver has back when the renderer says so.
using System.Runtime.InteropServices;
using Vgpu.Gpus;
using Vgpu.Vfio.Migration;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>
/// As many as the control queue has chains; their responses are written already. Oldest first, and a fence that is done
/// answers for those before it on its timeline. Device lock held, but that any thread may read <see cref="Count"/>. Allocates
/// nothing.
/// </summary>
internal sealed class HeldChains(int capacity)
{
    private readonly (RendererFence Fence, ushort Head, uint Written)[] _held = new (RendererFence, ushort, uint)[capacity];
    private int _count;

    internal int Count => Volatile.Read(ref _count);

    /// <summary>Bytes of a saved state at most.</summary>
    internal int MaxStateLength => sizeof(int) + (capacity * Marshal.SizeOf<SavedChain>());

    internal void Add(in RendererFence fence, ushort head, uint written) => _held[_count++] = (fence, head, written);

    /// <summary>Takes out the oldest that is done when <paramref name="fence"/> is; false: none.</summary>
    internal bool TryTake(in RendererFence fence, out ushort head, out uint written)
    {
        for (int i = 0; i < _count; i++)
        {
            if (FencesDue.Covers(fence, _held[i].Fence))
            {
                (_, head, written) = _held[i];
                Array.Copy(_held, i + 1, _held, i, _count - i - 1);
                _count--;
                return true;
            }
        }

        head = 0;
        written = 0;
        return false;
    }

    /// <summary>Takes out the oldest, whatever its fence.</summary>
    internal bool TryTakeAny(out ushort head, out uint written)
    {
        bool any = _count != 0;
        (_, head, written) = _held[0];
        if (any)
        {
            Array.Copy(_held, 1, _held, 0, _count - 1);
            _count--;
        }

        return any;
    }

    internal void Clear() => Volatile.Write(ref _count, 0);

    internal void SaveState(StateWriter state)
    {
        state.Write(_count);
        for (int i = 0; i < _count; i++)
        {
            state.Write(new SavedChain { Head = _held[i].Head, Written = _held[i].Written });
        }
    }

    /// <summary>Their renderer is gone, and with it all that their fences waited for. A head that is none is left alone by the queue.</summary>
    internal void LoadState(StateReader state)
    {
        int count = state.Read<int>();
        StateReader.Require(count >= 0 && count <= capacity && (state.IsCheckpoint || count == 0), "the number of fences");
        for (int i = 0; i < count; i++)
        {
            SavedChain saved = state.Read<SavedChain>();
            StateReader.Require(saved.Head <= ushort.MaxValue && saved.Written <= int.MaxValue, "a chain with a fence");
            Add(default, (ushort)saved.Head, saved.Written);
        }
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct SavedChain
    {
        internal uint Head;
        internal uint Written;
    }
}
