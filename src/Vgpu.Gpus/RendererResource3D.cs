namespace Vgpu.Gpus;

/// <summary>RESOURCE_CREATE_3D, less its number (Linux's virtio_gpu.h): target, format and binding are Gallium's.</summary>
public readonly record struct RendererResource3D
{
    public required uint Target { get; init; }

    public required uint Format { get; init; }

    public required uint Bind { get; init; }

    public required uint Width { get; init; }

    public required uint Height { get; init; }

    public required uint Depth { get; init; }

    public required uint ArraySize { get; init; }

    public uint LastLevel { get; init; }

    public uint Samples { get; init; }

    public uint Flags { get; init; }
}
