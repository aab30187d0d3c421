using Vgpu.Gpus;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>The fences of what was submitted, in that order. Allocates nothing.</summary>
internal sealed class FencesDue(int capacity)
{
    private readonly RendererFence[] _fences = new RendererFence[capacity];

    internal int Count { get; private set; }

    internal void Add(in RendererFence fence) => _fences[Count++] = fence;

    /// <summary>Takes out the oldest that is done when <paramref name="done"/> is; false: none.</summary>
    internal bool TryTake(in RendererFence done)
    {
        for (int i = 0; i < Count; i++)
        {
            if (Covers(done, _fences[i]))
            {
                Array.Copy(_fences, i + 1, _fences, i, Count - i - 1);
                Count--;
                return true;
            }
        }

        return false;
    }

    internal void Clear() => Count = 0;

    /// <summary>Whether both are on one timeline, on which <paramref name="earlier"/> comes first or at the same time.</summary>
    internal static bool Covers(in RendererFence done, in RendererFence earlier) =>
        earlier.Id <= done.Id && earlier.HasRing == done.HasRing && (!done.HasRing || (earlier.Context == done.Context && earlier.Ring == done.Ring));
}
