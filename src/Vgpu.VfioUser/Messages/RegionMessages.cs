using System.Runtime.InteropServices;
using Vgpu.Vfio;

// Payloads of the region commands: VFIO_USER_DEVICE_GET_REGION_INFO, _GET_REGION_IO_FDS, VFIO_USER_REGION_*.
namespace Vgpu.VfioUser.Messages;

/// <summary>
/// Request and reply of VFIO_USER_DEVICE_GET_REGION_INFO (struct vfio_region_info); capabilities follow in the reply.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct RegionInfo
{
    public const int Length = 32;

    public uint Argsz;
    public VfioRegionFlags Flags;
    public uint Index;

    /// <summary>Where the first capability is, from the start of this structure; valid with FLAG_CAPS.</summary>
    public uint CapOffset;

    /// <summary>Bytes.</summary>
    public ulong Size;

    /// <summary>What to give mmap as offset with the file that came with the reply.</summary>
    public ulong Offset;
}

/// <summary>struct vfio_info_cap_header (linux/vfio.h).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct RegionCapability
{
    public const int Length = 8;

    /// <summary>VFIO_REGION_INFO_CAP_SPARSE_MMAP of linux/vfio.h.</summary>
    public const ushort VFIO_REGION_INFO_CAP_SPARSE_MMAP = 1;

    /// <summary>VFIO_REGION_INFO_CAP_TYPE of linux/vfio.h.</summary>
    public const ushort VFIO_REGION_INFO_CAP_TYPE = 2;

    /// <summary>VFIO_REGION_INFO_CAP_MSIX_MAPPABLE of linux/vfio.h: nothing follows its header.</summary>
    public const ushort VFIO_REGION_INFO_CAP_MSIX_MAPPABLE = 3;

    public ushort Id;
    public ushort Version;

    /// <summary>Where the next capability is, from the start of <see cref="RegionInfo"/>; 0: none.</summary>
    public uint Next;
}

/// <summary>What follows the header of VFIO_REGION_INFO_CAP_SPARSE_MMAP; <see cref="AreaCount"/> areas follow.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct SparseMmap
{
    public const int Length = 8;

    public uint AreaCount;
    public uint Reserved;
}

/// <summary>struct vfio_region_sparse_mmap_area (linux/vfio.h).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct SparseMmapArea
{
    public const int Length = 16;

    public ulong Offset;
    public ulong Size;
}

/// <summary>Request and reply of VFIO_USER_DEVICE_GET_REGION_IO_FDS; sub-regions follow in the reply.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct RegionIoFds
{
    public const int Length = 16;

    public uint Argsz;
    public uint Flags;
    public uint Index;
    public uint Count;
}

/// <summary>What follows the header of VFIO_REGION_INFO_CAP_TYPE (struct vfio_region_info_cap_type).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct RegionType
{
    public const int Length = 8;

    public uint Type;
    public uint Subtype;
}

/// <summary>One sub-region in the reply of VFIO_USER_DEVICE_GET_REGION_IO_FDS, of either kind.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct SubRegionIoFd
{
    public const int Length = 40;

    public ulong Offset;

    /// <summary>Bytes; 0: accesses of any width.</summary>
    public ulong Size;

    /// <summary>Which of the descriptors that came with the reply; several sub-regions may share one.</summary>
    public uint FdIndex;
    public VfioIoFdType Type;

    /// <summary>KVM_IOEVENTFD_FLAG_* or KVM_IOREGION_*.</summary>
    public uint Flags;
    public uint Padding;

    /// <summary>The value that an ioeventfd waits for, or the user data of an ioregionfd's messages.</summary>
    public ulong Data;
}

/// <summary>What begins the requests and replies of VFIO_USER_REGION_READ and VFIO_USER_REGION_WRITE; data follows.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct RegionAccess
{
    public const int Length = 16;

    public ulong Offset;
    public uint Region;

    /// <summary>Bytes.</summary>
    public uint Count;
}

/// <summary>One write of VFIO_USER_REGION_WRITE_MULTI: at most 8 bytes. A u64 with their number goes before them.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct RegionWriteEntry
{
    /// <summary>Bytes of an entry.</summary>
    public const int Length = 24;

    /// <summary>Bytes of data that an entry holds.</summary>
    public const int DataLength = 8;

    /// <summary>Where in the region, in bytes.</summary>
    public ulong Offset;

    /// <summary>The region's index.</summary>
    public uint Region;

    /// <summary>Bytes of <see cref="Data"/> to write, from its first in memory: 1 to 8.</summary>
    public uint Count;

    /// <summary>The data, first byte lowest.</summary>
    public ulong Data;
}
