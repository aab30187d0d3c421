using System.Runtime.InteropServices;
using Vgpu.Vfio;

// Payloads of VFIO_USER_DEVICE_GET_INFO, _FEATURE and VFIO_USER_MIG_DATA_*.
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

/// <summary>What begins the request and reply of VFIO_USER_DEVICE_FEATURE (struct vfio_device_feature); data follows.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct DeviceFeature
{
    public const int Length = 8;

    public const uint VFIO_DEVICE_FEATURE_MASK = 0xffff;
    public const uint VFIO_DEVICE_FEATURE_GET = 1 << 16;
    public const uint VFIO_DEVICE_FEATURE_SET = 1 << 17;
    public const uint VFIO_DEVICE_FEATURE_PROBE = 1 << 18;

    public uint Argsz;
    public uint Flags;
}

/// <summary>What begins the requests and replies of VFIO_USER_MIG_DATA_READ and VFIO_USER_MIG_DATA_WRITE.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct MigrationData
{
    public const int Length = 8;

    public uint Argsz;

    /// <summary>Bytes.</summary>
    public uint Size;
}
