namespace Vgpu.Vfio;

/// <summary>Device flags of struct vfio_device_info (linux/vfio.h).</summary>
[Flags]
public enum VfioDeviceFlags : uint
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>The device can be reset.</summary>
    VFIO_DEVICE_FLAGS_RESET = 1 << 0,

    /// <summary>Its regions and interrupts are laid out as vfio_pci lays them out.</summary>
    VFIO_DEVICE_FLAGS_PCI = 1 << 1,
}

/// <summary>Region flags of struct vfio_region_info (linux/vfio.h).</summary>
[Flags]
public enum VfioRegionFlags : uint
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>May be read.</summary>
    VFIO_REGION_INFO_FLAG_READ = 1 << 0,

    /// <summary>May be written.</summary>
    VFIO_REGION_INFO_FLAG_WRITE = 1 << 1,

    /// <summary>May be mapped.</summary>
    VFIO_REGION_INFO_FLAG_MMAP = 1 << 2,

    /// <summary>Capabilities follow the structure.</summary>
    VFIO_REGION_INFO_FLAG_CAPS = 1 << 3,
}

/// <summary>Interrupt flags of struct vfio_irq_info (linux/vfio.h).</summary>
[Flags]
public enum VfioIrqFlags : uint
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>Signalled through eventfds.</summary>
    VFIO_IRQ_INFO_EVENTFD = 1 << 0,

    /// <summary>Can be masked and unmasked.</summary>
    VFIO_IRQ_INFO_MASKABLE = 1 << 1,

    /// <summary>Masked by being signalled.</summary>
    VFIO_IRQ_INFO_AUTOMASKED = 1 << 2,

    /// <summary>The set of subindexes in use changes only as a whole.</summary>
    VFIO_IRQ_INFO_NORESIZE = 1 << 3,
}

/// <summary>Flags of struct vfio_irq_set (linux/vfio.h): one data kind and one action.</summary>
[Flags]
public enum VfioIrqSetFlags : uint
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>No data: every subindex of the range.</summary>
    VFIO_IRQ_SET_DATA_NONE = 1 << 0,

    /// <summary>A byte a subindex: those that are not 0.</summary>
    VFIO_IRQ_SET_DATA_BOOL = 1 << 1,

    /// <summary>An eventfd a subindex.</summary>
    VFIO_IRQ_SET_DATA_EVENTFD = 1 << 2,

    /// <summary>Mask.</summary>
    VFIO_IRQ_SET_ACTION_MASK = 1 << 3,

    /// <summary>Unmask.</summary>
    VFIO_IRQ_SET_ACTION_UNMASK = 1 << 4,

    /// <summary>Assign triggers, or fire them.</summary>
    VFIO_IRQ_SET_ACTION_TRIGGER = 1 << 5,

    /// <summary>The data kinds.</summary>
    VFIO_IRQ_SET_DATA_TYPE_MASK = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_DATA_EVENTFD,

    /// <summary>The actions.</summary>
    VFIO_IRQ_SET_ACTION_TYPE_MASK = VFIO_IRQ_SET_ACTION_MASK | VFIO_IRQ_SET_ACTION_UNMASK | VFIO_IRQ_SET_ACTION_TRIGGER,
}

/// <summary>Region numbers of a PCI function (linux/vfio.h).</summary>
public static class VfioPciRegions
{
    /// <summary>The first BAR.</summary>
    public const int VFIO_PCI_BAR0_REGION_INDEX = 0;

    /// <summary>The last BAR.</summary>
    public const int VFIO_PCI_BAR5_REGION_INDEX = 5;

    /// <summary>The expansion ROM.</summary>
    public const int VFIO_PCI_ROM_REGION_INDEX = 6;

    /// <summary>Configuration space.</summary>
    public const int VFIO_PCI_CONFIG_REGION_INDEX = 7;

    /// <summary>Legacy VGA.</summary>
    public const int VFIO_PCI_VGA_REGION_INDEX = 8;

    /// <summary>How many there are.</summary>
    public const int VFIO_PCI_NUM_REGIONS = 9;
}

/// <summary>Interrupt numbers of a PCI function (linux/vfio.h).</summary>
public static class VfioPciIrqs
{
    /// <summary>INTx.</summary>
    public const int VFIO_PCI_INTX_IRQ_INDEX = 0;

    /// <summary>MSI.</summary>
    public const int VFIO_PCI_MSI_IRQ_INDEX = 1;

    /// <summary>MSI-X.</summary>
    public const int VFIO_PCI_MSIX_IRQ_INDEX = 2;

    /// <summary>An error that can't be corrected.</summary>
    public const int VFIO_PCI_ERR_IRQ_INDEX = 3;

    /// <summary>The device is asked back.</summary>
    public const int VFIO_PCI_REQ_IRQ_INDEX = 4;

    /// <summary>How many there are.</summary>
    public const int VFIO_PCI_NUM_IRQS = 5;
}
