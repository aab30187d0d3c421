// The wire's structs of the 3D commands (linux/virtio_gpu.h; virtio 1.2, 5.7.6.8), as those of VirtioGpuWire.cs.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Vgpu.Vendors.VirtioGpu;

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuGetCapsetInfo
{
    internal VirtioGpuCtrlHdr Hdr;
    internal uint CapsetIndex;
    internal uint Padding;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuRespCapsetInfo
{
    internal VirtioGpuCtrlHdr Hdr;
    internal uint CapsetId;
    internal uint CapsetMaxVersion;
    internal uint CapsetMaxSize;
    internal uint Padding;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuGetCapset
{
    internal VirtioGpuCtrlHdr Hdr;
    internal uint CapsetId;
    internal uint CapsetVersion;
}

[InlineArray(VirtioGpuConstants.DEBUG_NAME_LENGTH)]
internal struct VirtioGpuDebugName
{
    private byte _first;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuCtxCreate
{
    internal VirtioGpuCtrlHdr Hdr;
    internal uint Nlen;
    internal uint ContextInit;
    internal VirtioGpuDebugName DebugName;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuResourceCreate3D
{
    internal VirtioGpuCtrlHdr Hdr;
    internal uint ResourceId;
    internal uint Target;
    internal uint Format;
    internal uint Bind;
    internal uint Width;
    internal uint Height;
    internal uint Depth;
    internal uint ArraySize;
    internal uint LastLevel;
    internal uint NrSamples;
    internal uint Flags;
    internal uint Padding;
}

/// <summary>struct virtio_gpu_box, as hostile as it comes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuBox
{
    internal uint X;
    internal uint Y;
    internal uint Z;
    internal uint W;
    internal uint H;
    internal uint D;
}

/// <summary>TRANSFER_TO_HOST_3D and TRANSFER_FROM_HOST_3D.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuTransferHost3D
{
    internal VirtioGpuCtrlHdr Hdr;
    internal VirtioGpuBox Box;
    internal ulong Offset;
    internal uint ResourceId;
    internal uint Level;
    internal uint Stride;
    internal uint LayerStride;
}

/// <summary>SUBMIT_3D: this, then as many bytes of commands.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct VirtioGpuCmdSubmit
{
    internal VirtioGpuCtrlHdr Hdr;
    internal uint Size;
    internal uint Padding;
}
