using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser;

/// <summary>What this implementation takes in one message, as it tells its peers in VFIO_USER_VERSION.</summary>
public static class VfioUserLimits
{
    /// <summary>max_msg_fds. QEMU refuses more.</summary>
    public const int MaxMsgFds = 16;

    /// <summary>max_data_xfer_size in bytes.</summary>
    public const int MaxDataXferSize = 1 << 20;

    /// <summary>max_dma_maps. QEMU refuses more.</summary>
    public const int MaxDmaMaps = 65_535;

    /// <summary>pgsizes: 4 KiB.</summary>
    public const ulong PageSizes = 4096;

    /// <summary>Ranges of one VFIO_DEVICE_FEATURE_DMA_LOGGING_START.</summary>
    public const int MaxDmaLoggingRanges = 1024;

    /// <summary>The protocol's major version.</summary>
    public const int Major = 0;

    /// <summary>The newest minor version that is spoken.</summary>
    public const int Minor = 1;

    /// <summary>The longest message in bytes: <see cref="MaxDataXferSize"/> of data after the longest of fixed parts.</summary>
    public const int MaxMessageSize = VfioUserHeader.Length + DmaUnmap.Length + DirtyBitmap.Length + MaxDataXferSize;
}
