// Payloads of VFIO_USER_DEVICE_FEATURE, VFIO_USER_MIG_DATA_READ and VFIO_USER_MIG_DATA_WRITE.
using System.Runtime.InteropServices;
using Vgpu.Vfio.Migration;

namespace Vgpu.VfioUser.Messages;

/// <summary>Feature numbers of VFIO_DEVICE_FEATURE (linux/vfio.h) that the protocol has.</summary>
public enum VfioDeviceFeature : ushort
{
    /// <summary>Whether and how the device can be moved.</summary>
    VFIO_DEVICE_FEATURE_MIGRATION = 1,

    /// <summary>Its migration state.</summary>
    VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE = 2,

    /// <summary>Begins to track the pages that the device writes to.</summary>
    VFIO_DEVICE_FEATURE_DMA_LOGGING_START = 6,

    /// <summary>Ends that.</summary>
    VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP = 7,

    /// <summary>Says which pages it has written to.</summary>
    VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT = 8,
}

/// <summary>What is to be done with a feature (linux/vfio.h).</summary>
[Flags]
public enum VfioDeviceFeatureFlags : uint
{
    /// <summary>Neither method.</summary>
    None = 0,

    /// <summary>The bits of the feature's number.</summary>
    VFIO_DEVICE_FEATURE_MASK = 0xffff,

    /// <summary>Gets the data.</summary>
    VFIO_DEVICE_FEATURE_GET = 1 << 16,

    /// <summary>Sets the data.</summary>
    VFIO_DEVICE_FEATURE_SET = 1 << 17,

    /// <summary>Asks only whether the feature and these methods are there.</summary>
    VFIO_DEVICE_FEATURE_PROBE = 1 << 18,
}

/// <summary>What begins the request and reply of VFIO_USER_DEVICE_FEATURE (struct vfio_device_feature); data follows.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct DeviceFeature
{
    public const int Length = 8;

    /// <summary>In a request the most bytes of a reply, in a reply those of a full one.</summary>
    public uint Argsz;

    /// <summary>The feature's number and what is to be done with it.</summary>
    public VfioDeviceFeatureFlags Flags;

    /// <summary>The feature's number.</summary>
    public readonly VfioDeviceFeature Feature => (VfioDeviceFeature)(Flags & VfioDeviceFeatureFlags.VFIO_DEVICE_FEATURE_MASK);
}

/// <summary>Data of VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE (struct vfio_device_feature_mig_state).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct MigrationState
{
    public const int Length = 8;

    public VfioDeviceState DeviceState;

    /// <summary>Unused: the data goes by VFIO_USER_MIG_DATA_READ and _WRITE.</summary>
    public uint DataFd;
}

/// <summary>What begins the data of VFIO_DEVICE_FEATURE_DMA_LOGGING_START; <see cref="RangeCount"/> ranges follow.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct DmaLoggingControl
{
    public const int Length = 16;

    /// <summary>Bytes a tracked page has; a hint in a request, what was taken in the reply.</summary>
    public ulong PageSize;

    /// <summary>0: all writes are tracked.</summary>
    public uint RangeCount;

    public uint Reserved;
}

/// <summary>struct vfio_device_feature_dma_logging_range (linux/vfio.h).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct DmaLoggingRange
{
    /// <summary>Bytes of the structure.</summary>
    public const int Length = 16;

    /// <summary>First address.</summary>
    public ulong Iova;

    /// <summary>Bytes.</summary>
    public ulong Size;
}

/// <summary>What begins the data of VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT; in the reply the bitmap follows, as u64s.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct DmaLoggingReport
{
    public const int Length = 24;

    public ulong Iova;

    /// <summary>Bytes.</summary>
    public ulong Size;

    /// <summary>Bytes a bit stands for: a power of two.</summary>
    public ulong PageSize;
}

/// <summary>What begins the messages of VFIO_USER_MIG_DATA_READ and _WRITE; data follows, but in a request to read.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct MigrationData
{
    public const int Length = 8;

    /// <summary>In a request to read the most bytes of its reply; otherwise those of this structure and its data.</summary>
    public uint Argsz;

    /// <summary>Bytes of data.</summary>
    public uint Size;
}
