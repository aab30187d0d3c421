using Vgpu.Linux;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Vfio.Tests.Iommu;

/// <summary>A device without regions that records its unmaps.</summary>
internal sealed class FakeDevice(Type2 iommu) : VfioDevice(iommu)
{
    internal List<(ulong Iova, ulong Length)> Unmaps { get; } = [];

    /// <summary>Called within DmaUnmap, lock held.</summary>
    internal Action<ulong, ulong>? OnDmaUnmap { get; set; }

    public override VfioDeviceFlags Flags => VfioDeviceFlags.None;

    public override IReadOnlyList<VfioRegion> Regions => [];

    public override IReadOnlyList<VfioIrqInfo> Irqs => [];

    public override Errno ReadRegion(int index, ulong offset, Span<byte> data) => Errno.EINVAL;

    public override Errno WriteRegion(int index, ulong offset, ReadOnlySpan<byte> data) => Errno.EINVAL;

    public override Errno SetIrqs(
        int index, uint start, uint count, VfioIrqSetFlags flags, ReadOnlySpan<byte> bools, ReadOnlySpan<EventFd?> eventfds) =>
        Errno.EINVAL;

    public override void Close()
    {
    }

    public override void Reset()
    {
    }

    public override void DmaUnmap(ulong iova, ulong length)
    {
        lock (Lock)
        {
            Unmaps.Add((iova, length));
            OnDmaUnmap?.Invoke(iova, length);
        }
    }
}
