namespace Vgpu.Gpus;

/// <summary>What was submitted before a point: everything, or what one ring of one context had.</summary>
/// <param name="Id">The caller's own, rising.</param>
/// <param name="Context">0 where the guest named no ring.</param>
/// <param name="Ring">0 to 63.</param>
/// <param name="HasRing">Whether the guest named one (VIRTIO_GPU_FLAG_INFO_RING_IDX).</param>
public readonly record struct RendererFence(ulong Id, uint Context, uint Ring, bool HasRing);
