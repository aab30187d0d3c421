namespace Vgpu.Vfio;

/// <summary>Device flags of struct vfio_device_info (linux/vfio.h).</summary>
[Flags]
public enum VfioDeviceFlags : uint
{
    None = 0,
    VFIO_DEVICE_FLAGS_RESET = 1 << 0,
    VFIO_DEVICE_FLAGS_PCI = 1 << 1,
}

/// <summary>Region flags of struct vfio_region_info (linux/vfio.h).</summary>
[Flags]
public enum VfioRegionFlags : uint
{
    None = 0,
    VFIO_REGION_INFO_FLAG_READ = 1 << 0,
    VFIO_REGION_INFO_FLAG_WRITE = 1 << 1,
    VFIO_REGION_INFO_FLAG_MMAP = 1 << 2,
    VFIO_REGION_INFO_FLAG_CAPS = 1 << 3,
}

/// <summary>Interrupt flags of struct vfio_irq_info (linux/vfio.h).</summary>
[Flags]
public enum VfioIrqFlags : uint
{
    None = 0,
    VFIO_IRQ_INFO_EVENTFD = 1 << 0,
    VFIO_IRQ_INFO_MASKABLE = 1 << 1,
    VFIO_IRQ_INFO_AUTOMASKED = 1 << 2,
    VFIO_IRQ_INFO_NORESIZE = 1 << 3,
}

/// <summary>Flags of struct vfio_irq_set (linux/vfio.h): one data kind and one action.</summary>
[Flags]
public enum VfioIrqSetFlags : uint
{
    None = 0,
    VFIO_IRQ_SET_DATA_NONE = 1 << 0,
    VFIO_IRQ_SET_DATA_BOOL = 1 << 1,
    VFIO_IRQ_SET_DATA_EVENTFD = 1 << 2,
    VFIO_IRQ_SET_ACTION_MASK = 1 << 3,
    VFIO_IRQ_SET_ACTION_UNMASK = 1 << 4,
    VFIO_IRQ_SET_ACTION_TRIGGER = 1 << 5,
    VFIO_IRQ_SET_DATA_TYPE_MASK = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_DATA_EVENTFD,
    VFIO_IRQ_SET_ACTION_TYPE_MASK = VFIO_IRQ_SET_ACTION_MASK | VFIO_IRQ_SET_ACTION_UNMASK | VFIO_IRQ_SET_ACTION_TRIGGER,
}

/// <summary>Region numbers of a PCI function (linux/vfio.h).</summary>
public static class VfioPciRegions
{
    public const int VFIO_PCI_BAR0_REGION_INDEX = 0;
    public const int VFIO_PCI_BAR5_REGION_INDEX = 5;
    public const int VFIO_PCI_ROM_REGION_INDEX = 6;
    public const int VFIO_PCI_CONFIG_REGION_INDEX = 7;
    public const int VFIO_PCI_VGA_REGION_INDEX = 8;
    public const int VFIO_PCI_NUM_REGIONS = 9;
}

/// <summary>Interrupt numbers of a PCI function (linux/vfio.h).</summary>
public static class VfioPciIrqs
{
    public const int VFIO_PCI_INTX_IRQ_INDEX = 0;
    public const int VFIO_PCI_MSI_IRQ_INDEX = 1;
    public const int VFIO_PCI_MSIX_IRQ_INDEX = 2;
    public const int VFIO_PCI_ERR_IRQ_INDEX = 3;
    public const int VFIO_PCI_REQ_IRQ_INDEX = 4;
    public const int VFIO_PCI_NUM_IRQS = 5;
}
