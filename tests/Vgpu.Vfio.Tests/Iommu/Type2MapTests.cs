using Vgpu.Linux;
using Vgpu.Vfio.Iommu;
using static Vgpu.Vfio.Tests.Iommu.GuestMemory;

namespace Vgpu.Vfio.Tests.Iommu;

public sealed class Type2MapTests
{
    [Theory]
    [InlineData(0UL, 0UL, 3, 0UL, Errno.EINVAL)] // nothing
    [InlineData(1UL, Page, 3, 0UL, Errno.EINVAL)]
    [InlineData(2048UL, Page, 3, 0UL, Errno.EINVAL)]
    [InlineData(0UL, 100UL, 3, 0UL, Errno.EINVAL)]
    [InlineData(0UL, Page + 1, 3, 0UL, Errno.EINVAL)]
    [InlineData(0UL, Page, 0, 0UL, Errno.EINVAL)] // no access
    [InlineData(0UL, Page, 7, 0UL, Errno.EINVAL)] // access unknown
    [InlineData(0UL, Page, 3, 512UL, Errno.EINVAL)]
    [InlineData(0UL, 17 * Page, 3, 0UL, Errno.EINVAL)] // past the end of the file
    [InlineData(0UL, 16 * Page, 3, Page, Errno.EINVAL)]
    [InlineData(0UL, Page, 3, 16 * Page, Errno.EINVAL)]
    [InlineData(0UL, Page, 3, 0xffff_ffff_ffff_f000UL, Errno.EINVAL)] // offset + size wraps
    [InlineData(0UL, 0xffff_ffff_ffff_f000UL, 3, 2 * Page, Errno.EINVAL)]
    [InlineData(0xffff_ffff_ffff_f000UL, 2 * Page, 3, 0UL, Errno.EINVAL)] // iova + size wraps
    [InlineData(0xffff_ffff_ffff_f000UL, Page, 3, 0UL, Errno.None)] // ends at 2^64
    [InlineData(0UL, 8 * Page, 1, 8 * Page, Errno.None)]
    [InlineData(0UL, 16 * Page, 2, 0UL, Errno.None)]
    public void Arguments(ulong iova, ulong size, int protection, ulong offset, Errno expected)
    {
        using var guest = new GuestMemory(pages: 16);
        FileDescriptor file = guest.File.Duplicate();

        Assert.Equal(expected, guest.Iommu.Map(iova, size, (IommuProtection)protection, file, offset));

        Assert.True(file.IsClosed);
        Assert.Equal(expected == Errno.None ? 1 : 0, guest.Iommu.MapCount);
    }

    [Theory]
    [InlineData(8UL, 8UL, Errno.EEXIST)] // the same again
    [InlineData(7UL, 1UL, Errno.None)]
    [InlineData(16UL, 1UL, Errno.None)]
    [InlineData(7UL, 2UL, Errno.EEXIST)]
    [InlineData(15UL, 1UL, Errno.EEXIST)]
    [InlineData(15UL, 2UL, Errno.EEXIST)]
    [InlineData(0UL, 32UL, Errno.EEXIST)]
    [InlineData(10UL, 1UL, Errno.EEXIST)]
    public void Overlap(ulong page, ulong pages, Errno expected)
    {
        using var guest = new GuestMemory();
        Assert.Equal(Errno.None, guest.Map(8, 8));

        Assert.Equal(expected, guest.Map(page, pages));
    }

    [Theory]
    [InlineData(8UL, 8UL, Errno.None, 1)]
    [InlineData(0UL, 64UL, Errno.None, 0)]
    [InlineData(4UL, 12UL, Errno.None, 1)] // gaps are fine
    [InlineData(8UL, 12UL, Errno.None, 0)]
    [InlineData(8UL, 4UL, Errno.EINVAL, 2)] // splits at its end
    [InlineData(12UL, 4UL, Errno.EINVAL, 2)] // splits at its beginning
    [InlineData(9UL, 2UL, Errno.EINVAL, 2)]
    [InlineData(0UL, 9UL, Errno.EINVAL, 2)]
    [InlineData(12UL, 8UL, Errno.EINVAL, 2)]
    [InlineData(0UL, 8UL, Errno.ENOENT, 2)]
    [InlineData(30UL, 8UL, Errno.ENOENT, 2)]
    [InlineData(0UL, 0UL, Errno.EINVAL, 2)]
    [InlineData(0xf_ffff_ffff_ffffUL, 2UL, Errno.EINVAL, 2)] // wraps
    public void Unmap(ulong page, ulong pages, Errno expected, int left)
    {
        using var guest = new GuestMemory();
        Assert.Equal(Errno.None, guest.Map(8, 8));
        Assert.Equal(Errno.None, guest.Map(16, 4, 16));

        Assert.Equal(expected, guest.Iommu.Unmap(page * Page, pages * Page));

        Assert.Equal(left, guest.Iommu.MapCount);
    }

    [Fact]
    public void Memory_is_the_clients()
    {
        using var guest = new GuestMemory();
        Assert.Equal(Errno.None, guest.Map(8, 8, 8));
        guest.View.Span[(9 * 4096) + 5] = 42;
        var data = new byte[3];

        Assert.Equal(Errno.None, guest.Iommu.DmaRw((9 * Page) + 4, data, write: false));
        Assert.Equal([0, 42, 0], data);
        Assert.Equal(Errno.None, guest.Iommu.DmaRw((10 * Page) - 1, new byte[] { 7, 8, 9 }, write: true));
        Assert.Equal([7, 8, 9], guest.View.Span.Slice((10 * 4096) - 1, 3).ToArray());
    }
}
