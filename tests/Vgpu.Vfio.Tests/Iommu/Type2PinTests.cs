using Vgpu.Linux;
using Vgpu.Vfio.Iommu;
using static Vgpu.Vfio.Tests.Iommu.GuestMemory;

namespace Vgpu.Vfio.Tests.Iommu;

public sealed class Type2PinTests
{
    [Theory]
    [InlineData(0UL, 0, 3, Errno.EINVAL)]
    [InlineData(0UL, -1, 3, Errno.EINVAL)]
    [InlineData(0UL, 513, 3, Errno.E2BIG)]
    [InlineData(0UL, 9, 3, Errno.EINVAL)] // more than the span holds
    [InlineData(1UL, 1, 3, Errno.EINVAL)]
    [InlineData(0UL, 1, 0, Errno.EINVAL)]
    [InlineData(0UL, 1, 4, Errno.EINVAL)]
    [InlineData(0UL, 4, 3, Errno.None)]
    [InlineData(3 * Page, 2, 3, Errno.EPERM)] // the second is read-only
    [InlineData(3 * Page, 2, 1, Errno.None)]
    [InlineData(5 * Page, 2, 1, Errno.EFAULT)] // no file
    [InlineData(6 * Page, 2, 1, Errno.EFAULT)]
    [InlineData(7 * Page, 1, 1, Errno.EINVAL)]
    [InlineData(0xffff_ffff_ffff_f000UL, 2, 1, Errno.EINVAL)]
    public void All_or_nothing(ulong iova, int count, int protection, Errno expected)
    {
        using var guest = new GuestMemory();
        Assert.Equal(Errno.None, guest.Map(0, 4));
        Assert.Equal(Errno.None, guest.Map(4, 2, 4, R));
        Assert.Equal(Errno.None, guest.Iommu.Map(6 * Page, Page, RW, null, 0));
        var pages = new nint[8];

        Assert.Equal(expected, guest.Iommu.PinPages(iova, count, (IommuProtection)protection, pages));

        Assert.Equal(expected == Errno.None ? count : 0, guest.Iommu.PinnedPageCount);
        Assert.Equal(expected == Errno.None ? count : 0, pages.Count(page => page != 0));
        if (expected == Errno.None)
        {
            Assert.Equal(Errno.None, guest.Iommu.TryGetRun(iova, 1, R, out HostRun run));
            Assert.Equal(run.Address, pages[0]);
        }
    }

    [Fact]
    public void Pins_are_counted()
    {
        using var guest = new GuestMemory();
        Assert.Equal(Errno.None, guest.Map(0, 4));
        var pages = new nint[4];
        Assert.Equal(Errno.None, guest.Iommu.PinPages(0, 4, R, pages));
        Assert.Equal(Errno.None, guest.Iommu.PinPages(Page, 1, RW, pages));
        guest.Iommu.UnpinPages(0, 4);
        Assert.Equal(1, guest.Iommu.PinnedPageCount);
        guest.Iommu.UnpinPages(0, 8); // most of it not pinned, half of it not mapped
        Assert.Equal(0, guest.Iommu.PinnedPageCount);
        guest.Iommu.UnpinPages(Page, 1);
        guest.Iommu.UnpinPages(5, 1);
        guest.Iommu.UnpinPages(0, -5);
        Assert.Equal(Errno.None, guest.Iommu.PinPages(0, 4, R, pages));
    }

    [Fact]
    public void Pins_end_with_their_map_and_the_device_is_told()
    {
        using var guest = new GuestMemory();
        using var device = new FakeDevice(guest.Iommu);
        Assert.Equal(Errno.None, guest.Map(0, 4));
        Assert.Equal(Errno.None, guest.Iommu.PinPages(0, 4, RW, new nint[4]));
        device.OnDmaUnmap = (iova, length) => guest.Iommu.UnpinPages(iova, (int)(length / Page));

        Assert.Equal(Errno.None, guest.Iommu.Unmap(0, 4 * Page));

        Assert.Single(device.Unmaps);
        Assert.Equal(0, guest.Iommu.PinnedPageCount);
        Assert.Equal(Errno.None, guest.Map(0, 4));
        Assert.Equal(0, guest.Iommu.PinnedPageCount);
    }
}
