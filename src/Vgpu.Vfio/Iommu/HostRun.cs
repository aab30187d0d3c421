namespace Vgpu.Vfio.Iommu;

/// <summary>How a device may touch a range (IOMMU_READ and IOMMU_WRITE of linux/iommu.h).</summary>
[Flags]
public enum IommuProtection : uint
{
    /// <summary>No access.</summary>
    None = 0,

    /// <summary>The device may read.</summary>
    IOMMU_READ = 1,

    /// <summary>The device may write.</summary>
    IOMMU_WRITE = 2,
}

/// <summary>
/// A piece of guest memory where this process sees it. Coalesced: two neighbours in a list never touch. Valid until
/// <see cref="VfioDevice.DmaUnmap"/> for <see cref="Iova"/> returns, and used only with the device's lock held.
/// </summary>
/// <param name="Iova">The guest's address of the first byte.</param>
/// <param name="Address">Where the first byte is in this process.</param>
/// <param name="Length">Bytes.</param>
public readonly record struct HostRun(ulong Iova, nint Address, ulong Length)
{
    /// <summary>The bytes; at most 2 GiB.</summary>
    // Sound: Type2 made the run from one live mapping, and the caller holds the device's lock.
    public unsafe Span<byte> Span => new((void*)Address, checked((int)Length));
}
