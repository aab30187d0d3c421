// The resources of one vGPU by id, and what they cost.
using System.Diagnostics.CodeAnalysis;
using Vgpu.Gpus;
using Vgpu.Vfio.Iommu;

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

    /// <summary>
    /// Puts a resource of the renderer in the place of a picture, with its charges, its name and its backing, which may be
    /// written from now on. The picture's host is the caller's to dispose.
    /// </summary>
    internal Resource3D Hand(Resource2D picture, Type2 iommu)
    {
        RendererResource3D description = Resource3D.Picture((uint)picture.Host.Format, (uint)picture.Host.Width, (uint)picture.Host.Height);
        var made = new Resource3D(picture.Id, picture.Cost, description) { BackingCost = picture.BackingCost, Uuid = picture.Uuid };
        if (picture.Backing is { } backing)
        {
            DmaEntry[] entries = [.. backing.Entries];
            made.Backing = new DmaScatterList(iommu, entries, Resource3DCommands.Protection, VideoMemory.MaxRunsOf(VideoMemory.EntriesOf(picture.BackingCost)));
        }

        _resources[picture.Id] = made;
        return made;
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
