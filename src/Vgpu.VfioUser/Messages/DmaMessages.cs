using System.Runtime.InteropServices;

// Payloads of VFIO_USER_DMA_MAP and _UNMAP, and of VFIO_USER_DMA_READ and _WRITE, which the server sends.
namespace Vgpu.VfioUser.Messages;

/// <summary>Flags of <see cref="DmaMap"/>; the first two have the values of IOMMU_READ and IOMMU_WRITE.</summary>
[Flags]
internal enum DmaMapFlags : uint
{
    None = 0,
    VFIO_USER_F_DMA_REGION_READ = 1 << 0,
    VFIO_USER_F_DMA_REGION_WRITE = 1 << 1,

    /// <summary>libvfio-user's dialect: a file comes with the message, to be mapped.</summary>
    VFIO_USER_F_DMA_REGION_MMAP = 1 << 2,

    /// <summary>libvfio-user's dialect: a file comes with the message, to be read and written.</summary>
    VFIO_USER_F_DMA_REGION_FILE_IO = 1 << 3,
}

/// <summary>Flags of <see cref="DmaUnmap"/>: those of VFIO_IOMMU_UNMAP_DMA (linux/vfio.h).</summary>
[Flags]
public enum DmaUnmapFlags : uint
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>The reply says which pages were written to.</summary>
    VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP = 1 << 0,

    /// <summary>Everything that is mapped; address and size are 0.</summary>
    VFIO_DMA_UNMAP_FLAG_ALL = 1 << 1,
}

/// <summary>Request of VFIO_USER_DMA_MAP; no reply payload.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct DmaMap
{
    public const int Length = 32;

    public uint Argsz;
    public DmaMapFlags Flags;

    /// <summary>Where the range begins in the file that came with the message.</summary>
    public ulong Offset;
    public ulong Address;

    /// <summary>Bytes.</summary>
    public ulong Size;
}

/// <summary>Request and reply of VFIO_USER_DMA_UNMAP.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct DmaUnmap
{
    public const int Length = 24;

    public uint Argsz;
    public DmaUnmapFlags Flags;
    public ulong Address;

    /// <summary>Bytes.</summary>
    public ulong Size;
}

/// <summary>
/// Follows <see cref="DmaUnmap"/> with VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP (struct vfio_bitmap); in the reply the bitmap
/// itself follows.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct DirtyBitmap
{
    public const int Length = 16;

    /// <summary>Bytes a bit stands for.</summary>
    public ulong PageSize;

    /// <summary>Bytes of the bitmap.</summary>
    public ulong Size;
}

/// <summary>What begins the messages of VFIO_USER_DMA_READ and VFIO_USER_DMA_WRITE; data follows.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct DmaAccess
{
    public const int Length = 16;

    public ulong Address;

    /// <summary>Bytes.</summary>
    public ulong Count;
}
