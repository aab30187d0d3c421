// Constants of virtio 1.2 with the spelling of linux/virtio_config.h, virtio_ring.h and virtio_pci.h.
namespace Vgpu.Virtio;

/// <summary>Device status bits (virtio 1.2, 2.1; linux/virtio_config.h).</summary>
public static class VirtioStatus
{
    public const byte VIRTIO_CONFIG_S_ACKNOWLEDGE = 1;
    public const byte VIRTIO_CONFIG_S_DRIVER = 2;
    public const byte VIRTIO_CONFIG_S_DRIVER_OK = 4;
    public const byte VIRTIO_CONFIG_S_FEATURES_OK = 8;
    public const byte VIRTIO_CONFIG_S_NEEDS_RESET = 0x40;
    public const byte VIRTIO_CONFIG_S_FAILED = 0x80;
}

/// <summary>Feature bits of the ring and the transport (virtio 1.2, chapter 6), as masks.</summary>
public static class VirtioFeatures
{
    public const ulong VIRTIO_F_INDIRECT_DESC = 1UL << 28;
    public const ulong VIRTIO_F_EVENT_IDX = 1UL << 29;
    public const ulong VIRTIO_F_VERSION_1 = 1UL << 32;
}

/// <summary>Split virtqueue (virtio 1.2, 2.7; linux/virtio_ring.h).</summary>
public static class VirtioRing
{
    public const ushort VRING_DESC_F_NEXT = 1;
    public const ushort VRING_DESC_F_WRITE = 2;
    public const ushort VRING_DESC_F_INDIRECT = 4;
    public const ushort VRING_AVAIL_F_NO_INTERRUPT = 1;
    public const int VRING_DESC_SIZE = 16;
    public const int VRING_MAX_SIZE = 32768;
}

/// <summary>virtio over PCI (virtio 1.2, 4.1; linux/virtio_pci.h).</summary>
public static class VirtioPci
{
    public const ushort VIRTIO_PCI_DEVICE_ID_BASE = 0x1040;
    public const byte VIRTIO_PCI_ABI_REVISION = 1;

    public const byte VIRTIO_PCI_CAP_COMMON_CFG = 1;
    public const byte VIRTIO_PCI_CAP_NOTIFY_CFG = 2;
    public const byte VIRTIO_PCI_CAP_ISR_CFG = 3;
    public const byte VIRTIO_PCI_CAP_DEVICE_CFG = 4;
    public const byte VIRTIO_PCI_CAP_PCI_CFG = 5;

    public const int VIRTIO_PCI_COMMON_DFSELECT = 0;
    public const int VIRTIO_PCI_COMMON_DF = 4;
    public const int VIRTIO_PCI_COMMON_GFSELECT = 8;
    public const int VIRTIO_PCI_COMMON_GF = 12;
    public const int VIRTIO_PCI_COMMON_MSIX = 16;
    public const int VIRTIO_PCI_COMMON_NUMQ = 18;
    public const int VIRTIO_PCI_COMMON_STATUS = 20;
    public const int VIRTIO_PCI_COMMON_CFGGENERATION = 21;
    public const int VIRTIO_PCI_COMMON_Q_SELECT = 22;
    public const int VIRTIO_PCI_COMMON_Q_SIZE = 24;
    public const int VIRTIO_PCI_COMMON_Q_MSIX = 26;
    public const int VIRTIO_PCI_COMMON_Q_ENABLE = 28;
    public const int VIRTIO_PCI_COMMON_Q_NOFF = 30;
    public const int VIRTIO_PCI_COMMON_Q_DESCLO = 32;
    public const int VIRTIO_PCI_COMMON_Q_DESCHI = 36;
    public const int VIRTIO_PCI_COMMON_Q_AVAILLO = 40;
    public const int VIRTIO_PCI_COMMON_Q_AVAILHI = 44;
    public const int VIRTIO_PCI_COMMON_Q_USEDLO = 48;
    public const int VIRTIO_PCI_COMMON_Q_USEDHI = 52;

    public const byte VIRTIO_PCI_ISR_QUEUE = 1;
    public const byte VIRTIO_PCI_ISR_CONFIG = 2;
    public const ushort VIRTIO_MSI_NO_VECTOR = 0xffff;
}
