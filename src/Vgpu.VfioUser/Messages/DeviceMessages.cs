using System.Runtime.InteropServices;
using Vgpu.Vfio;

// Payload of VFIO_USER_DEVICE_GET_INFO.
namespace Vgpu.VfioUser.Messages;

/// <summary>Request and reply of VFIO_USER_DEVICE_GET_INFO (struct vfio_device_info without its capabilities).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct DeviceInfo
{
    public const int Length = 16;

    public uint Argsz;
    public VfioDeviceFlags Flags;
    public uint RegionCount;
    public uint IrqCount;
}
