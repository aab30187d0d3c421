// The wire's structs (virtio 1.2, 5.7.6.7 and 5.7.6.10; linux/virtio_gpu.h), fixed in layout, little-endian as every host that
// this runs on. ControlCommand reads and writes them, nothing else does.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>struct virtio_gpu_ctrl_hdr.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuCtrlHdr
{
    internal uint Type;
    internal uint Flags;
    internal ulong FenceId;
    internal uint CtxId;
    internal byte RingIdx;
    internal byte Padding0;
    internal ushort Padding1;
}

/// <summary>struct virtio_gpu_rect, as hostile as it comes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuRect
{
    internal uint X;
    internal uint Y;
    internal uint Width;
    internal uint Height;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuDisplayOne
{
    internal VirtioGpuRect R;
    internal uint Enabled;
    internal uint Flags;
}

[InlineArray(VirtioGpuConstants.VIRTIO_GPU_MAX_SCANOUTS)]
internal struct VirtioGpuPmodes
{
    private VirtioGpuDisplayOne _first;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuRespDisplayInfo
{
    internal VirtioGpuCtrlHdr Hdr;
    internal VirtioGpuPmodes Pmodes;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuCmdGetEdid
{
    internal VirtioGpuCtrlHdr Hdr;
    internal uint Scanout;
    internal uint Padding;
}

[InlineArray(1024)]
internal struct VirtioGpuEdid
{
    private byte _first;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuRespEdid
{
    internal VirtioGpuCtrlHdr Hdr;
    internal uint Size;
    internal uint Padding;
    internal VirtioGpuEdid Edid;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuResourceCreate2D
{
    internal VirtioGpuCtrlHdr Hdr;
    internal uint ResourceId;
    internal uint Format;
    internal uint Width;
    internal uint Height;
}

/// <summary>RESOURCE_UNREF, RESOURCE_DETACH_BACKING and RESOURCE_ASSIGN_UUID: a resource and padding.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuResourceOnly
{
    internal VirtioGpuCtrlHdr Hdr;
    internal uint ResourceId;
    internal uint Padding;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuRespResourceUuid
{
    internal VirtioGpuCtrlHdr Hdr;
    internal Guid Uuid;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuSetScanout
{
    internal VirtioGpuCtrlHdr Hdr;
    internal VirtioGpuRect R;
    internal uint ScanoutId;
    internal uint ResourceId;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuResourceFlush
{
    internal VirtioGpuCtrlHdr Hdr;
    internal VirtioGpuRect R;
    internal uint ResourceId;
    internal uint Padding;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuTransferToHost2D
{
    internal VirtioGpuCtrlHdr Hdr;
    internal VirtioGpuRect R;
    internal ulong Offset;
    internal uint ResourceId;
    internal uint Padding;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuResourceAttachBacking
{
    internal VirtioGpuCtrlHdr Hdr;
    internal uint ResourceId;
    internal uint NrEntries;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuMemEntry
{
    internal ulong Addr;
    internal uint Length;
    internal uint Padding;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuResourceCreateBlob
{
    internal VirtioGpuCtrlHdr Hdr;
    internal uint ResourceId;
    internal uint BlobMem;
    internal uint BlobFlags;
    internal uint NrEntries;
    internal ulong BlobId;
    internal ulong Size;
}

[InlineArray(4)]
internal struct VirtioGpuPlanes
{
    private uint _first;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuSetScanoutBlob
{
    internal VirtioGpuCtrlHdr Hdr;
    internal VirtioGpuRect R;
    internal uint ScanoutId;
    internal uint ResourceId;
    internal uint Width;
    internal uint Height;
    internal uint Format;
    internal uint Padding;
    internal VirtioGpuPlanes Strides;
    internal VirtioGpuPlanes Offsets;
}

/// <summary>UPDATE_CURSOR and MOVE_CURSOR. Linux sends coordinates left of or above the picture as wrapped negatives.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuUpdateCursor
{
    internal VirtioGpuCtrlHdr Hdr;
    internal uint ScanoutId;
    internal uint X;
    internal uint Y;
    internal uint PosPadding;
    internal uint ResourceId;
    internal uint HotX;
    internal uint HotY;
    internal uint Padding;
}
