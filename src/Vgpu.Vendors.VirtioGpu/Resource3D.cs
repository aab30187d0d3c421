// A resource of the host's renderer (RESOURCE_CREATE_3D of linux/virtio_gpu.h).
using Vgpu.Gpus;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>What the renderer's thread has to do for a resource before the next chain, in this order.</summary>
[Flags]
internal enum RendererDue
{
    None = 0,

    /// <summary>It is not made there yet: restored, or a picture of ours until now.</summary>
    Create = 1,

    /// <summary>Its backing is not known there, or is no more, as it was unmapped.</summary>
    Back = 2,

    /// <summary>Its pixels come from its backing.</summary>
    Fill = 4,

    /// <summary>Heads that showed it show it again.</summary>
    Show = 8,
}

/// <summary>One resource in the renderer, by the same number. Device lock held, but for what never changes.</summary>
internal sealed class Resource3D(uint id, ulong cost, in RendererResource3D description) : GpuResource(id, cost)
{
    internal RendererResource3D Description { get; } = description;

    internal RendererDue Due { get; set; }

    /// <summary>The renderer points into the backing, or is just being told of it.</summary>
    internal bool IsBacked { get; set; }

    /// <summary>The command that makes it is not done: a successor does it anew.</summary>
    internal bool IsProvisional { get; set; }

    /// <summary>The same of its backing.</summary>
    internal bool IsBackingProvisional { get; set; }

    /// <summary>What a 2D resource of this format and size is to a renderer; QEMU describes it so too.</summary>
    internal static RendererResource3D Picture(uint format, uint width, uint height) => new()
    {
        Target = VirtioGpuConstants.PIPE_TEXTURE_2D,
        Format = format,
        Bind = VirtioGpuConstants.PIPE_BIND_RENDER_TARGET | VirtioGpuConstants.PIPE_BIND_SAMPLER_VIEW,
        Width = width,
        Height = height,
        Depth = 1,
        ArraySize = 1,
        Flags = VirtioGpuConstants.VIRTIO_GPU_RESOURCE_FLAG_Y_0_TOP,
    };
}
