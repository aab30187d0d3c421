namespace Vgpu.VfioUser.Messages;

/// <summary>Command numbers (vfio-user specification, "Commands").</summary>
public enum VfioUserCommand : ushort
{
    /// <summary>The first message: version and capabilities of both sides.</summary>
    VFIO_USER_VERSION = 1,

    /// <summary>Gives the device a range of the client's memory.</summary>
    VFIO_USER_DMA_MAP = 2,

    /// <summary>Takes one back; answered once no use of it is left.</summary>
    VFIO_USER_DMA_UNMAP = 3,

    /// <summary>What the device is, and how many regions and interrupts it has.</summary>
    VFIO_USER_DEVICE_GET_INFO = 4,

    /// <summary>Size, access and file of a region.</summary>
    VFIO_USER_DEVICE_GET_REGION_INFO = 5,

    /// <summary>Files to signal instead of writing to a region.</summary>
    VFIO_USER_DEVICE_GET_REGION_IO_FDS = 6,

    /// <summary>What an interrupt index is.</summary>
    VFIO_USER_DEVICE_GET_IRQ_INFO = 7,

    /// <summary>Assigns, fires and masks interrupts.</summary>
    VFIO_USER_DEVICE_SET_IRQS = 8,

    /// <summary>Reads from a region.</summary>
    VFIO_USER_REGION_READ = 9,

    /// <summary>Writes to a region.</summary>
    VFIO_USER_REGION_WRITE = 10,

    /// <summary>Server to client.</summary>
    VFIO_USER_DMA_READ = 11,

    /// <summary>Server to client.</summary>
    VFIO_USER_DMA_WRITE = 12,

    /// <summary>Resets the device.</summary>
    VFIO_USER_DEVICE_RESET = 13,

    /// <summary>Several small writes in one message.</summary>
    VFIO_USER_REGION_WRITE_MULTI = 15,

    /// <summary>Asks for, reads and sets features: migration, dirty tracking.</summary>
    VFIO_USER_DEVICE_FEATURE = 16,

    /// <summary>Reads migration data.</summary>
    VFIO_USER_MIG_DATA_READ = 17,

    /// <summary>Writes migration data.</summary>
    VFIO_USER_MIG_DATA_WRITE = 18,
}
