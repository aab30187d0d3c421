// The contexts of one vGPU's guest by number, and what they cost.
namespace Vgpu.Vendors.VirtioGpu;

/// <summary>
/// Each is charged the same: what a guest makes in a context beside resources (shaders, views, states) is the renderer's own
/// bookkeeping. Device lock held.
/// </summary>
internal sealed class ContextTable(VideoMemory memory)
{
    private readonly HashSet<uint> _contexts = [];

    internal int Count => _contexts.Count;

    internal bool Contains(uint context) => _contexts.Contains(context);

    /// <summary>False where the quota has no room for it. It is not there yet.</summary>
    internal bool TryAdd(uint context) => memory.TryCharge(VirtioGpuConstants.ContextCost) && _contexts.Add(context);

    internal void Remove(uint context)
    {
        if (_contexts.Remove(context))
        {
            memory.Release(VirtioGpuConstants.ContextCost);
        }
    }

    internal void Clear()
    {
        memory.Release(VirtioGpuConstants.ContextCost * (ulong)_contexts.Count);
        _contexts.Clear();
        _contexts.TrimExcess();
    }
}
