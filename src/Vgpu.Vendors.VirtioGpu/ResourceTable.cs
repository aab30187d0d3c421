// The resources of one vGPU by id, and what they cost.
using System.Diagnostics.CodeAnalysis;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>Owns every resource and its charges. Used with the device's lock held.</summary>
internal sealed class ResourceTable(VideoMemory memory)
{
    private readonly Dictionary<uint, GpuResource> _resources = [];

    internal VideoMemory Memory { get; } = memory;

    internal int Count => _resources.Count;

    internal bool IsFull => _resources.Count >= VirtioGpuConstants.MaxResources;

    internal Dictionary<uint, GpuResource>.ValueCollection All => _resources.Values;

    internal bool Contains(uint id) => _resources.ContainsKey(id);

    internal bool TryFind(uint id, [NotNullWhen(true)] out GpuResource? resource) => _resources.TryGetValue(id, out resource);

    /// <summary>Takes over a resource whose costs are charged; its id is free.</summary>
    internal void Add(GpuResource resource) => _resources.Add(resource.Id, resource);

    /// <summary>Frees a resource that no scanout shows.</summary>
    internal void Remove(GpuResource resource)
    {
        _resources.Remove(resource.Id);
        Free(resource);
    }

    /// <summary>Lets go of the backing.</summary>
    internal void Detach(GpuResource resource)
    {
        resource.Backing = null;
        Memory.Release(resource.BackingCost);
        resource.BackingCost = 0;
    }

    /// <summary>Frees everything; no scanout shows any of it.</summary>
    internal void Clear()
    {
        foreach (GpuResource resource in _resources.Values)
        {
            Free(resource);
        }

        _resources.Clear();
        _resources.TrimExcess();
    }

    /// <summary>Drops the resolved runs within the range; the next use resolves them again.</summary>
    internal void DmaUnmap(ulong iova, ulong length)
    {
        foreach (GpuResource resource in _resources.Values)
        {
            resource.Backing?.Drop(iova, length);
        }
    }

    private void Free(GpuResource resource)
    {
        Detach(resource);
        Memory.Release(resource.Cost);
        (resource as Resource2D)?.Host.Dispose();
    }
}
