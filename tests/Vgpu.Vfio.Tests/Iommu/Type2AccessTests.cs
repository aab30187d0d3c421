using Vgpu.Linux;
using Vgpu.Vfio.Iommu;
using static Vgpu.Vfio.Tests.Iommu.GuestMemory;

namespace Vgpu.Vfio.Tests.Iommu;

public sealed unsafe class Type2AccessTests
{
    // 0-3 read and write, 4-7 read, 8-11 write, 12 known only, 13 nothing, the last page of all.
    private const ulong Top = 0xffff_ffff_ffff_f000;

    [Theory]
    [InlineData(0UL, 4096, false, Errno.None)]
    [InlineData(0UL, 4 * 4096, true, Errno.None)]
    [InlineData(0UL, (4 * 4096) + 1, true, Errno.EPERM)]
    [InlineData(0UL, 8 * 4096, false, Errno.None)]
    [InlineData((4 * Page) - 1, 2, false, Errno.None)]
    [InlineData((4 * Page) - 1, 2, true, Errno.EPERM)]
    [InlineData(8 * Page, 1, false, Errno.EPERM)]
    [InlineData(8 * Page, 4096, true, Errno.None)]
    [InlineData((8 * Page) - 1, 2, false, Errno.EPERM)]
    [InlineData(12 * Page, 1, false, Errno.EFAULT)]
    [InlineData((12 * Page) - 1, 2, true, Errno.EFAULT)]
    [InlineData(13 * Page, 1, false, Errno.EFAULT)]
    [InlineData(Top, 4096, false, Errno.None)]
    [InlineData(Top + 4095, 1, false, Errno.None)]
    [InlineData(Top + 4095, 2, false, Errno.EFAULT)] // wraps to page 0, which is mapped
    [InlineData(Top - 1, 2, false, Errno.EFAULT)]
    [InlineData(13 * Page, 0, false, Errno.None)]
    public void Every_door_answers_the_same(ulong iova, int length, bool write, Errno expected)
    {
        using GuestMemory guest = New();
        IommuProtection protection = write ? W : R;
        var runs = new List<HostRun>();
        var data = new byte[length];
        Array.Fill(data, (byte)0xa5);

        Assert.Equal(expected, guest.Iommu.Resolve(iova, (ulong)length, protection, runs));
        Assert.Equal(expected == Errno.None ? (ulong)length : 0, runs.Aggregate(0ul, (sum, run) => sum + run.Length));
        Errno run = guest.Iommu.TryGetRun(iova, (ulong)length, protection, out HostRun one);
        Assert.Equal(length == 0 ? Errno.EINVAL : expected, run);
        Assert.Equal(run == Errno.None ? (ulong)length : 0, one.Length);
        Assert.Equal(expected, guest.Iommu.DmaRw(iova, data, write));
        if (write && expected != Errno.None)
        {
            Assert.Equal(-1, guest.View.Span.IndexOf((byte)0xa5)); // all or nothing
        }
    }

    [Fact]
    public void Without_bus_mastering_nothing_is_reached()
    {
        using GuestMemory guest = New();
        guest.Iommu.BusMaster = false;
        var runs = new List<HostRun>();
        Assert.Equal(Errno.EPERM, guest.Iommu.Resolve(0, 1, R, runs));
        Assert.Equal(Errno.EPERM, guest.Iommu.TryGetRun(0, 1, R, out _));
        Assert.Equal(Errno.EPERM, guest.Iommu.DmaRw(0, new byte[1], write: false));
        Assert.Equal(Errno.EPERM, guest.Iommu.DmaRw(0, [], write: false));
        Assert.Equal(Errno.EPERM, guest.Iommu.PinPages(0, 1, R, new nint[1]));
        Assert.Empty(runs);
        guest.Iommu.BusMaster = true;
        Assert.Equal(Errno.None, guest.Iommu.TryGetRun(0, 1, R, out _));
    }

    [Fact]
    public void Neighbours_on_both_sides_are_one_run()
    {
        using var guest = new GuestMemory();
        Assert.Equal(Errno.None, guest.Map(0, 2, 0));
        Assert.Equal(Errno.None, guest.Map(2, 2, 2)); // adjacent in the file too
        Assert.Equal(Errno.None, guest.Map(4, 2, 10)); // not
        var runs = new List<HostRun>();

        Assert.Equal(Errno.None, guest.Iommu.Resolve(100, (6 * Page) - 200, R, runs));

        Assert.Equal([(100UL, (4 * Page) - 100), (4 * Page, (2 * Page) - 100)], runs.Select(run => (run.Iova, run.Length)));
        Assert.Equal(Errno.None, guest.Iommu.TryGetRun(Page, 2 * Page, RW, out HostRun one));
        Assert.Equal(runs[0].Address - 100 + (nint)Page, one.Address);
        Assert.Equal(Errno.ERANGE, guest.Iommu.TryGetRun(3 * Page, 2 * Page, RW, out _));

        // A second translation goes on where the list ends.
        Assert.Equal(Errno.None, guest.Iommu.Resolve((6 * Page) - 100, 100, R, runs));
        Assert.Equal((2, 2 * Page), (runs.Count, runs[1].Length));
    }

    [Fact]
    public void A_failed_translation_leaves_the_list_as_it_was()
    {
        using var guest = new GuestMemory();
        Assert.Equal(Errno.None, guest.Map(0, 4));
        var runs = new List<HostRun>();
        Assert.Equal(Errno.None, guest.Iommu.Resolve(0, Page, R, runs));
        Assert.Equal(Errno.EFAULT, guest.Iommu.Resolve(Page, 4 * Page, R, runs));
        Assert.Equal(Page, Assert.Single(runs).Length);
    }

    [Fact]
    public void Copies_cross_maps()
    {
        using var guest = new GuestMemory();
        for (ulong i = 0; i < 16; i++)
        {
            Assert.Equal(Errno.None, guest.Map(i, 1, 31 - i)); // backwards: never one piece
        }

        var data = new byte[15 * 4096];
        new Random(3).NextBytes(data);
        Assert.Equal(Errno.None, guest.Iommu.DmaRw(77, data, write: true));
        var back = new byte[data.Length];
        Assert.Equal(Errno.None, guest.Iommu.DmaRw(77, back, write: false));
        Assert.Equal(data, back);
        Assert.Equal(data[..100], guest.View.Span.Slice((31 * 4096) + 77, 100).ToArray());
    }

    [Fact]
    public void The_data_path_allocates_nothing()
    {
        using var guest = new GuestMemory();
        Assert.Equal(Errno.None, guest.Map(0, 2, 0));
        Assert.Equal(Errno.None, guest.Map(2, 2, 10));
        Assert.Equal(Errno.None, guest.Iommu.StartDirtyTracking(0, 64 * Page, Page));
        var runs = new List<HostRun>(16);
        var data = new byte[2 * 4096];
        var list = new DmaScatterList(guest.Iommu, [new(0, 4096), new(2 * Page, 4096), new(Page, 4096)], RW);
        long before = 0;
        Errno all = Errno.None;
        fixed (byte* pointer = data)
        {
            for (int i = 0; i < 200; i++)
            {
                if (i == 100)
                {
                    before = GC.GetAllocatedBytesForCurrentThread();
                }

                runs.Clear();
                all |= guest.Iommu.Resolve(10, 3 * Page, RW, runs);
                all |= guest.Iommu.TryGetRun(20, 100, R, out _);
                all |= guest.Iommu.DmaRw(Page, data, (i & 1) != 0);
                all |= guest.Iommu.DmaRw(0, data.AsSpan(0, 100), (i & 1) != 0);
                all |= list.CopyTo(100, data);
                all |= list.CopyFrom(100, data);
                all |= list.CopyRowsTo(0, 128, pointer, 64, 64, 90);
                list.Drop(0, 1);
            }
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(Errno.None, all);
    }

    private static GuestMemory New()
    {
        var guest = new GuestMemory();
        Assert.Equal(Errno.None, guest.Map(0, 4));
        Assert.Equal(Errno.None, guest.Map(4, 4, 4, R));
        Assert.Equal(Errno.None, guest.Map(8, 4, 8, W));
        Assert.Equal(Errno.None, guest.Iommu.Map(12 * Page, Page, RW, null, 123));
        Assert.Equal(Errno.None, guest.Iommu.Map(Top, Page, RW, guest.File.Duplicate(), 20 * Page));
        return guest;
    }

    [Fact]
    public void Resolve_stops_where_the_list_is_long_enough()
    {
        using var guest = new GuestMemory();
        for (ulong i = 0; i < 8; i++)
        {
            Assert.Equal(Errno.None, guest.Map(i, 1, filePage: 2 * i));
        }

        var runs = new List<HostRun>();
        Assert.Equal(Errno.None, guest.Iommu.Resolve(0, 4 * GuestMemory.Page, GuestMemory.R, runs, maxRuns: 4));
        Assert.Equal(Errno.E2BIG, guest.Iommu.Resolve(4 * GuestMemory.Page, 1, GuestMemory.R, runs, maxRuns: 4));
        Assert.Equal(Errno.E2BIG, guest.Iommu.Resolve(4 * GuestMemory.Page, 4 * GuestMemory.Page, GuestMemory.R, runs, maxRuns: 7));
        Assert.Equal(4, runs.Count);
        Assert.Equal(Errno.None, guest.Iommu.Resolve(4 * GuestMemory.Page, 4 * GuestMemory.Page, GuestMemory.R, runs, maxRuns: 8));
        var list = new DmaScatterList(guest.Iommu, [new DmaEntry(0, 8 * 4096)], GuestMemory.R, maxRuns: 7);
        Assert.Equal(Errno.E2BIG, list.Resolve());
        Assert.Empty(list.Runs);
    }
}
