using Vgpu.Gpus;

namespace Vgpu.Host.Virgl;

// The fences that were asked for and not yet handed on, in order. The library counts them in numbers of ours of 32 bits, rising by
// one, and says only the last of several that are done: all before it are done too. One thread; allocates nothing.
internal sealed class FenceQueue(int most)
{
    private readonly (uint Number, RendererFence Fence)[] _fences = new (uint, RendererFence)[most];
    private int _first;

    internal int Count { get; private set; }

    internal bool IsFull => Count == _fences.Length;

    /// <summary>The number to ask the library for next.</summary>
    internal uint Next { get; private set; } = 1;

    /// <summary>It was asked for <see cref="Next"/>. Not when full.</summary>
    internal void Add(in RendererFence fence)
    {
        _fences[(_first + Count) % _fences.Length] = (Next, fence);
        Count++;
        Next++;
    }

    /// <summary>The oldest, where the library has come to it.</summary>
    internal bool TryTake(uint done, out RendererFence fence)
    {
        // The numbers wrap after 2^32 fences.
        if (Count == 0 || (int)(done - _fences[_first].Number) < 0)
        {
            fence = default;
            return false;
        }

        fence = _fences[_first].Fence;
        _first = (_first + 1) % _fences.Length;
        Count--;
        return true;
    }

    internal void Clear() => Count = 0;
}
