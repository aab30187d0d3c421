namespace Vgpu.Gpus;

/// <summary>A kind of command stream that a renderer understands (GET_CAPSET_INFO, virtio 1.2, 5.7.6.8).</summary>
/// <param name="Id">VIRTIO_GPU_CAPSET_*: 1 virgl, 2 virgl2, 4 venus.</param>
/// <param name="MaxVersion">The largest that can be asked for.</param>
/// <param name="Size">Bytes of its description.</param>
public readonly record struct RendererCapset(uint Id, uint MaxVersion, int Size);
