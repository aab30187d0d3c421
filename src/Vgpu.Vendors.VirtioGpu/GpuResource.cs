// What a guest's resource id names: a picture on the host or a blob of the guest's own memory (virtio 1.2, 5.7.6.7).
using Vgpu.Gpus;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>One resource. Used with the device's lock held; <see cref="ResourceTable"/> makes and frees it.</summary>
internal abstract class GpuResource(uint id, ulong cost)
{
    internal uint Id { get; } = id;

    /// <summary>Bytes charged for it, without the backing list.</summary>
    internal ulong Cost { get; } = cost;

    /// <summary>The guest memory behind it; null before ATTACH_BACKING and after DETACH_BACKING.</summary>
    internal DmaScatterList? Backing { get; set; }

    /// <summary>Bytes charged for the backing list.</summary>
    internal ulong BackingCost { get; set; }

    /// <summary>Its name towards other devices (RESOURCE_ASSIGN_UUID); given once.</summary>
    internal Guid? Uuid { get; set; }
}

/// <summary>A 2D resource: a host picture that the backing is transferred to.</summary>
internal sealed class Resource2D(uint id, ulong cost, IRendererResource host) : GpuResource(id, cost)
{
    internal IRendererResource Host { get; } = host;
}

/// <summary>A blob of VIRTIO_GPU_BLOB_MEM_GUEST: the backing is the resource, and transfers have nothing to do.</summary>
internal sealed class GuestBlob(uint id, ulong cost, ulong size) : GpuResource(id, cost)
{
    /// <summary>Bytes; the backing holds at least as many.</summary>
    internal ulong Size { get; } = size;
}
