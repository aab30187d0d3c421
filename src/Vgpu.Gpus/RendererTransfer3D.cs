namespace Vgpu.Gpus;

/// <summary>TRANSFER_TO_HOST_3D and TRANSFER_FROM_HOST_3D, less the resource (Linux's virtio_gpu.h).</summary>
public readonly record struct RendererTransfer3D
{
    /// <summary>Out of the resource into its backing, not the other way.</summary>
    public required bool IsFromHost { get; init; }

    public uint X { get; init; }

    public uint Y { get; init; }

    public uint Z { get; init; }

    public required uint Width { get; init; }

    public required uint Height { get; init; }

    public required uint Depth { get; init; }

    /// <summary>Bytes into the backing.</summary>
    public ulong Offset { get; init; }

    public uint Level { get; init; }

    /// <summary>Bytes from row to row in the backing; 0: without gaps.</summary>
    public uint Stride { get; init; }

    /// <summary>Bytes from layer to layer in the backing; 0: without gaps.</summary>
    public uint LayerStride { get; init; }
}
