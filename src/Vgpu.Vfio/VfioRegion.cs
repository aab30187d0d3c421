using Vgpu.Linux;

namespace Vgpu.Vfio;

/// <summary>A part of a region that a client may map (struct vfio_region_sparse_mmap_area).</summary>
/// <param name="Offset">First byte within the region; a multiple of the page size.</param>
/// <param name="Size">Bytes; a multiple of the page size.</param>
public readonly record struct VfioSparseArea(ulong Offset, ulong Size);

/// <summary>
/// What VFIO_DEVICE_GET_REGION_INFO says of one region (struct vfio_region_info), with the file behind it where
/// the client may map it. Immutable: made once, when the device is made.
/// </summary>
public sealed record VfioRegion
{
    /// <summary>A region that the device does not have.</summary>
    public static VfioRegion Absent { get; } = new();

    /// <summary>Without VFIO_REGION_INFO_FLAG_CAPS, which the transport adds where there are sparse areas.</summary>
    public VfioRegionFlags Flags { get; init; }

    /// <summary>Bytes.</summary>
    public ulong Size { get; init; }

    /// <summary>The file that holds the region's memory where Flags has MMAP; the device owns it.</summary>
    public FileDescriptor? File { get; init; }

    /// <summary>Where the region begins in <see cref="File"/>.</summary>
    public ulong FileOffset { get; init; }

    /// <summary>The mappable parts; empty with MMAP: the whole region.</summary>
    public IReadOnlyList<VfioSparseArea> SparseAreas { get; init; } = [];
}

/// <summary>What VFIO_DEVICE_GET_IRQ_INFO says of one interrupt index (struct vfio_irq_info).</summary>
public readonly record struct VfioIrqInfo(VfioIrqFlags Flags, uint Count);
