using Vgpu.Linux;
using Vgpu.Vfio.Iommu;
using static Vgpu.Vfio.Tests.Iommu.GuestMemory;

namespace Vgpu.Vfio.Tests.Iommu;

public sealed class DirtyTests
{
    private const ulong Big = 4 * Page;

    [Theory]
    [InlineData(0UL, 0UL, Page, Errno.EINVAL)]
    [InlineData(0UL, Page, 2048UL, Errno.EINVAL)]
    [InlineData(0UL, 3 * Page, 3 * Page, Errno.EINVAL)]
    [InlineData(0UL, Page, 0UL, Errno.EINVAL)]
    [InlineData(100UL, Page, Page, Errno.EINVAL)]
    [InlineData(0UL, Page + 1, Page, Errno.EINVAL)]
    [InlineData(Page, Big, Big, Errno.EINVAL)]
    [InlineData(0xffff_ffff_ffff_f000UL, 2 * Page, Page, Errno.EOVERFLOW)]
    [InlineData(0UL, 0xffff_ffff_ffff_f000UL, Page, Errno.ENOMEM)]
    [InlineData(0UL, 1UL << 48, Page, Errno.None)] // bits of pages that nobody touches cost nothing
    [InlineData(0xffff_ffff_ffff_f000UL, Page, Page, Errno.None)]
    [InlineData(0UL, 1UL << 63, 1UL << 63, Errno.None)]
    public void Start(ulong iova, ulong length, ulong pageSize, Errno expected)
    {
        using var guest = new GuestMemory();
        Assert.Equal(expected, guest.Iommu.StartDirtyTracking(iova, length, pageSize));
        Assert.Equal(
            expected == Errno.None ? Errno.None : Errno.EINVAL,
            guest.Iommu.ReadDirty(iova & ~(Page - 1), Page, Page, new byte[1]));
    }

    [Theory]
    [InlineData(0UL, 0UL, Page, 8, Errno.EINVAL)]
    [InlineData(0UL, Page, 100UL, 8, Errno.EINVAL)]
    [InlineData(0UL, 64 * Page, Page, 7, Errno.EINVAL)] // bitmap too short
    [InlineData(0UL, 64 * Page, Page, 8, Errno.None)]
    [InlineData(0UL, 65 * Page, Page, 8, Errno.EINVAL)]
    [InlineData(0UL, 1UL << 63, Page, 8, Errno.EINVAL)]
    [InlineData(0xffff_ffff_ffff_f000UL, 2 * Page, Page, 8, Errno.EOVERFLOW)]
    public void Read(ulong iova, ulong length, ulong pageSize, int bytes, Errno expected)
    {
        using var guest = new GuestMemory();
        Assert.Equal(Errno.None, guest.Iommu.StartDirtyTracking(0, 64 * Page, Page));
        Assert.Equal(expected, guest.Iommu.ReadDirty(iova, length, pageSize, new byte[bytes]));
    }

    [Fact]
    public void Ranges_do_not_overlap_and_stop_ends_them()
    {
        using var guest = New();
        Type2 iommu = guest.Iommu;
        Assert.Equal(Errno.EINVAL, iommu.ReadDirty(0, Page, Page, new byte[1]));
        Assert.Equal(Errno.None, iommu.StartDirtyTracking(0, 8 * Page, Page));
        Assert.Equal(Errno.EINVAL, iommu.StartDirtyTracking(7 * Page, Page, Page));
        Assert.Equal(Errno.None, iommu.StartDirtyTracking(8 * Page, 8 * Page, Page));
        iommu.StopDirtyTracking();
        iommu.StopDirtyTracking();
        Assert.Equal(Errno.None, iommu.StartDirtyTracking(0, 16 * Page, Page));
    }

    [Fact]
    public void What_a_device_writes_is_reported_once()
    {
        using var guest = New();
        Type2 iommu = guest.Iommu;
        Assert.Equal(Errno.None, iommu.DmaRw(0, new byte[1], write: true)); // before: not tracked
        Assert.Equal(Errno.None, iommu.StartDirtyTracking(0, 64 * Page, Page));
        Assert.Equal(Errno.None, iommu.DmaRw((2 * Page) - 1, new byte[2], write: true)); // 1, 2: across maps
        Assert.Equal(Errno.None, iommu.DmaRw(5 * Page, new byte[9], write: false));
        Assert.Equal(Errno.EFAULT, iommu.DmaRw((64 * Page) - 1, new byte[2], write: true));
        Assert.Equal(Errno.None, iommu.Resolve(8 * Page, 2 * Page, RW, [])); // 8, 9
        Assert.Equal(Errno.None, iommu.Resolve(10 * Page, 2 * Page, R, []));
        Assert.Equal(Errno.None, iommu.TryGetRun(12 * Page, 1, W, out _)); // 12
        iommu.MarkDirty((63 * Page) + 5, 1); // 63
        var list = new DmaScatterList(iommu, [new((20 * Page) + 4000, 200), new(30 * Page, 8)], RW);
        Assert.Equal(Errno.None, list.CopyTo(0, new byte[10]));
        Assert.Equal([1, 2, 8, 9, 12, 20, 21, 30, 63], Dirty(iommu, 0, 64)); // translated for writing

        Assert.Equal(Errno.None, list.CopyFrom(97, new byte[105])); // 21, 30
        Assert.Equal([21, 30], Dirty(iommu, 0, 64));
        Assert.Empty(Dirty(iommu, 0, 64));
    }

    [Fact]
    public void A_report_of_a_part_forgets_that_part_only()
    {
        using var guest = New();
        Assert.Equal(Errno.None, guest.Iommu.StartDirtyTracking(0, 64 * Page, Page));
        Assert.Equal(Errno.None, guest.Iommu.DmaRw(0, new byte[64 * 4096], write: true));
        Assert.Equal([0, 1, 2], Dirty(guest.Iommu, 10, 3));
        Assert.Equal([.. Enumerable.Range(0, 10), .. Enumerable.Range(13, 51)], Dirty(guest.Iommu, 0, 64));
    }

    [Fact]
    public void A_coarser_report_joins_pages()
    {
        using var guest = New();
        Assert.Equal(Errno.None, guest.Iommu.StartDirtyTracking(0, 64 * Page, Page));
        guest.Iommu.MarkDirty(3 * Page, 1);
        guest.Iommu.MarkDirty(8 * Page, (5 * Page) + 1);
        guest.Iommu.MarkDirty(63 * Page, 1);
        Assert.Equal([0, 2, 3, 15], Dirty(guest.Iommu, 0, 64, Big));
        Assert.Empty(Dirty(guest.Iommu, 0, 64));

        // Counted from the address asked for, and the last page may be cut.
        guest.Iommu.MarkDirty(3 * Page, 1);
        guest.Iommu.MarkDirty(7 * Page, 1);
        Assert.Equal([0, 1], Dirty(guest.Iommu, 3, 6, Big));
    }

    [Fact]
    public void A_finer_report_splits_pages_and_keeps_what_it_cuts()
    {
        using var guest = New();
        Assert.Equal(Errno.None, guest.Iommu.StartDirtyTracking(0, 64 * Page, Big));
        guest.Iommu.MarkDirty((4 * Page) + 7, 1);
        Assert.Equal([0, 1], Dirty(guest.Iommu, 6, 8)); // pages 6, 7
        Assert.Equal([1, 2, 3], Dirty(guest.Iommu, 3, 4)); // still there: 4, 5, 6
        Assert.Equal([4, 5, 6, 7], Dirty(guest.Iommu, 0, 64));
        Assert.Empty(Dirty(guest.Iommu, 0, 64));
    }

    [Fact]
    public void A_report_over_several_ranges_and_none()
    {
        using var guest = New();
        Assert.Equal(Errno.None, guest.Iommu.StartDirtyTracking(4 * Page, 4 * Page, Page));
        Assert.Equal(Errno.None, guest.Iommu.StartDirtyTracking(16 * Page, 8 * Page, Big));
        guest.Iommu.MarkDirty(0, 64 * Page);
        Assert.Equal([.. Enumerable.Range(4, 4), .. Enumerable.Range(16, 8)], Dirty(guest.Iommu, 0, 64));
    }

    [Fact]
    public void A_page_pinned_for_writing_is_dirty_each_time()
    {
        using var guest = New();
        Type2 iommu = guest.Iommu;
        var pages = new nint[4];
        Assert.Equal(Errno.None, iommu.PinPages(3 * Page, 2, RW, pages));
        Assert.Equal(Errno.None, iommu.PinPages(6 * Page, 1, R, pages));
        Assert.Equal(Errno.None, iommu.StartDirtyTracking(0, 64 * Page, Page));
        Assert.Equal([3, 4], Dirty(iommu, 0, 64));
        Assert.Equal([3, 4], Dirty(iommu, 0, 64));
        iommu.UnpinPages(3 * Page, 4);
        Assert.Equal([3, 4], Dirty(iommu, 0, 64));
        Assert.Empty(Dirty(iommu, 0, 64));
        Assert.Equal(Errno.None, iommu.PinPages(3 * Page, 1, W, pages));
        iommu.UnmapAll();
        Assert.Equal([3], Dirty(iommu, 0, 64));
        Assert.Empty(Dirty(iommu, 0, 64));
    }

    [Fact]
    public void Maps_that_can_not_be_tracked_any_more_are_refused()
    {
        const ulong far = 1UL << 50;
        using var guest = new GuestMemory();
        Type2 iommu = guest.Iommu;
        Assert.Equal(Errno.None, iommu.StartDirtyTracking(Page));
        Assert.Equal(Errno.ENOMEM, iommu.Map(far, 1UL << 62, RW, null, 0));

        // What a map brought stays tracked when it goes: the client could bring ranges for ever.
        Errno errno = Errno.None;
        int maps = 0;
        for (; errno == Errno.None && maps < 10_000; maps++)
        {
            ulong iova = far + ((ulong)maps * 2 * Page);
            errno = iommu.Map(iova, Page, RW, null, 0);
            _ = iommu.Unmap(iova, Page);
        }

        Assert.Equal((Errno.ENOMEM, 4096, 0), (errno, maps, iommu.MapCount));
        Assert.Equal(Errno.None, guest.Map(0, 1));
        iommu.StopDirtyTracking();
        Assert.Equal(Errno.None, iommu.Map(far * 2, Page, RW, null, 0));
    }

    private static GuestMemory New()
    {
        var guest = new GuestMemory();
        Assert.Equal(Errno.None, guest.Map(0, 2));
        Assert.Equal(Errno.None, guest.Map(2, 62, 2));
        return guest;
    }

    // The pages reported, counted from the first one asked for; what lies past the end must be 0.
    private static List<int> Dirty(Type2 iommu, ulong page, ulong pages, ulong pageSize = Page)
    {
        var bitmap = new byte[32];
        Array.Fill(bitmap, (byte)0xff);
        Assert.Equal(Errno.None, iommu.ReadDirty(page * Page, pages * Page, pageSize, bitmap));
        return [.. Enumerable.Range(0, bitmap.Length * 8).Where(n => (bitmap[n / 8] >> (n % 8) & 1) != 0)];
    }
}
