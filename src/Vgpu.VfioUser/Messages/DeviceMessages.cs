using System.Runtime.InteropServices;
using Vgpu.Vfio;

// Payload of VFIO_USER_DEVICE_GET_INFO.
namespace Vgpu.VfioUser.Messages;

/// <summary>Request and reply of VFIO_USER_DEVICE_GET_INFO (struct vfio_device_info without its capabilities).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct DeviceInfo
{
    /// <summary>Bytes of the structure.</summary>
    public const int Length = 16;

    /// <summary>In a request how many bytes the reply may have, in a reply how many there are.</summary>
    public uint Argsz;

    /// <summary>What the device is.</summary>
    public VfioDeviceFlags Flags;

    /// <summary>How many regions it has.</summary>
    public uint RegionCount;

    /// <summary>How many interrupt indexes it has.</summary>
    public uint IrqCount;
}
