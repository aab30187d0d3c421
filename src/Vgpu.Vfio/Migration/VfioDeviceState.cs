namespace Vgpu.Vfio.Migration;

/// <summary>enum vfio_device_mig_state of linux/vfio.h.</summary>
public enum VfioDeviceState : uint
{
    /// <summary>A move of state failed half way: only a reset leads out.</summary>
    VFIO_DEVICE_STATE_ERROR = 0,

    /// <summary>The device changes nothing, inside or outside.</summary>
    VFIO_DEVICE_STATE_STOP = 1,

    /// <summary>The device works.</summary>
    VFIO_DEVICE_STATE_RUNNING = 2,

    /// <summary>Stopped, and its state can be read.</summary>
    VFIO_DEVICE_STATE_STOP_COPY = 3,

    /// <summary>Stopped, and takes the state of another.</summary>
    VFIO_DEVICE_STATE_RESUMING = 4,

    /// <summary>Not used by vfio-user.</summary>
    VFIO_DEVICE_STATE_RUNNING_P2P = 5,

    /// <summary>Runs, and its state may be read ahead of STOP_COPY.</summary>
    VFIO_DEVICE_STATE_PRE_COPY = 6,

    /// <summary>Not used by vfio-user.</summary>
    VFIO_DEVICE_STATE_PRE_COPY_P2P = 7,
}

/// <summary>Flags of struct vfio_device_feature_migration (linux/vfio.h).</summary>
[Flags]
public enum VfioMigrationFlags : ulong
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>Its state can be read once it is stopped.</summary>
    VFIO_MIGRATION_STOP_COPY = 1 << 0,

    /// <summary>It knows the states in which devices leave each other alone.</summary>
    VFIO_MIGRATION_P2P = 1 << 1,

    /// <summary>Its state can be read while it runs.</summary>
    VFIO_MIGRATION_PRE_COPY = 1 << 2,
}
