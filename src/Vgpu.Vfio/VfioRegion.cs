using Vgpu.Linux;

namespace Vgpu.Vfio;

/// <summary>A part of a region that a client may map (struct vfio_region_sparse_mmap_area).</summary>
/// <param name="Offset">First byte within the region; a multiple of the page size.</param>
/// <param name="Size">Bytes; a multiple of the page size.</param>
public readonly record struct VfioSparseArea(ulong Offset, ulong Size);

/// <summary>How an access reaches a sub-region's file (vfio-user specification, "VFIO_USER_DEVICE_GET_REGION_IO_FDS").</summary>
public enum VfioIoFdType : uint
{
    /// <summary>An eventfd that a write signals: KVM_IOEVENTFD.</summary>
    VFIO_USER_IO_FD_TYPE_IOEVENTFD = 0,

    /// <summary>A socket that carries each access as a message: KVM's proposed ioregionfd.</summary>
    VFIO_USER_IO_FD_TYPE_IOREGIONFD = 1,
}

/// <summary>A part of a region whose accesses may reach the device through a file, past the client.</summary>
/// <param name="Type">What the file is.</param>
/// <param name="Offset">First byte within the region.</param>
/// <param name="Size">Bytes; 0: accesses of any width at the offset.</param>
/// <param name="File">What is signalled or written to; the device owns it. Sub-regions may share one.</param>
/// <param name="Flags">KVM_IOEVENTFD_FLAG_* or KVM_IOREGION_* of linux/kvm.h.</param>
/// <param name="Data">With KVM_IOEVENTFD_FLAG_DATAMATCH the value that signals; the user data of an ioregionfd.</param>
public readonly record struct VfioIoFd(VfioIoFdType Type, ulong Offset, ulong Size, FileDescriptor File, uint Flags = 0, ulong Data = 0);

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

    /// <summary>
    /// VFIO_REGION_INFO_CAP_MSIX_MAPPABLE: a mappable region may be mapped with the MSI-X table in it, as accesses to the
    /// table do no harm there.
    /// </summary>
    public bool IsMsixMappable { get; init; }

    /// <summary>VFIO_REGION_INFO_CAP_TYPE: what a region past the standard ones is; null for those.</summary>
    public VfioRegionType? Type { get; init; }

    /// <summary>The parts that a client may have accessed through files; at most 16 files in all.</summary>
    public IReadOnlyList<VfioIoFd> IoFds { get; init; } = [];
}

/// <summary>What a region is that the bus does not define (struct vfio_region_info_cap_type).</summary>
/// <param name="Type">VFIO_REGION_TYPE_* of linux/vfio.h; with VFIO_REGION_TYPE_PCI_VENDOR_TYPE a PCI vendor's.</param>
/// <param name="Subtype">Of that type.</param>
public readonly record struct VfioRegionType(uint Type, uint Subtype);

/// <summary>What VFIO_DEVICE_GET_IRQ_INFO says of one interrupt index (struct vfio_irq_info).</summary>
public readonly record struct VfioIrqInfo(VfioIrqFlags Flags, uint Count);
