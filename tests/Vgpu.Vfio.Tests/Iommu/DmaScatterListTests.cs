using Vgpu.Linux;
using Vgpu.Vfio.Iommu;
using static Vgpu.Vfio.Tests.Iommu.GuestMemory;

namespace Vgpu.Vfio.Tests.Iommu;

public sealed unsafe class DmaScatterListTests
{
    [Fact]
    public void Contiguous_entries_are_one_run()
    {
        using GuestMemory guest = New();
        var list = new DmaScatterList(
            guest.Iommu, [new(Page, 4096), new(2 * Page, 100), new((2 * Page) + 100, 0), new((2 * Page) + 100, 5000)], R);
        Assert.Equal(4096ul + 5100, list.Length);
        Assert.Empty(list.Runs);

        Assert.Equal(Errno.None, list.Resolve());

        HostRun run = Assert.Single(list.Runs);
        Assert.Equal((Page, list.Length), (run.Iova, run.Length));
        Assert.Equal(1, list.RunSpan.Length);
    }

    [Fact]
    public void Its_entries_make_the_same_list_again()
    {
        using GuestMemory guest = New();
        var list = new DmaScatterList(
            guest.Iommu, [new(Page, 4096), new(2 * Page, 100), new(9, 0), new(7, uint.MaxValue), new(7 + (ulong)uint.MaxValue, 5), new(0, 3)], R);
        Assert.Equal([new(Page, 4196), new(7, uint.MaxValue), new(7 + (ulong)uint.MaxValue, 5), new(0, 3)], list.Entries);
        var again = new DmaScatterList(guest.Iommu, [.. list.Entries], R);
        Assert.Equal(list.Entries, again.Entries);
        Assert.Equal(list.Length, again.Length);
    }

    [Fact]
    public void Entries_that_touch_here_are_one_run_wherever_the_guest_sees_them()
    {
        using var guest = new GuestMemory();
        Assert.Equal(Errno.None, guest.Map(100, 2, 0));
        Assert.Equal(Errno.None, guest.Map(50, 2, 2)); // follows in the file
        var list = new DmaScatterList(guest.Iommu, [new(100 * Page, 8192), new(50 * Page, 8192), new(100 * Page, 10)], R);
        Assert.Equal(Errno.None, list.Resolve());
        Assert.Equal([4 * Page, 10ul], list.Runs.Select(run => run.Length));

        // A drop goes by what the entries say, not by where a run begins.
        list.Drop(51 * Page, 1);
        Assert.Empty(list.Runs);
    }

    [Theory]
    [InlineData(0UL, Page, true)]
    [InlineData(0UL, Page - 1, false)]
    [InlineData((2 * Page) - 1, 1UL, true)]
    [InlineData(2 * Page, Page, false)]
    [InlineData(4 * Page, 0UL, false)]
    [InlineData(4 * Page, 1UL, true)]
    [InlineData(5 * Page, ulong.MaxValue, false)]
    [InlineData(0UL, ulong.MaxValue, true)]
    public void Drop_only_if_touched(ulong iova, ulong length, bool dropped)
    {
        using GuestMemory guest = New();
        var list = new DmaScatterList(guest.Iommu, [new(Page - 1, 4097), new(4 * Page, 4096)], R);
        Assert.Equal(Errno.None, list.Resolve());
        list.Drop(iova, length);
        Assert.Equal(dropped ? 0 : 2, list.Runs.Count);
        Assert.Equal(Errno.None, list.CopyTo(0, new byte[1]));
        Assert.Equal(2, list.Runs.Count);
    }

    [Fact]
    public void After_an_unmap_the_next_use_translates_again_or_fails()
    {
        using GuestMemory guest = New();
        using var device = new FakeDevice(guest.Iommu);
        var list = new DmaScatterList(guest.Iommu, [new(0, 4096), new(40 * Page, 4)], R);
        device.OnDmaUnmap = list.Drop;
        var data = new byte[4];
        Assert.Equal(Errno.None, guest.Map(100, 1));
        Assert.Equal(Errno.None, list.Resolve());
        Assert.Equal(Errno.None, guest.Iommu.Unmap(100 * Page, Page)); // elsewhere
        Assert.Equal(2, list.Runs.Count);
        guest.Iommu.UnmapAll();
        Assert.Empty(list.Runs);
        Assert.Equal(Errno.EFAULT, list.Resolve());
        Assert.Equal(Errno.EFAULT, list.CopyTo(4096, data));
        Assert.Equal(Errno.None, guest.Map(0, 1));
        Assert.Equal(Errno.EFAULT, list.CopyTo(0, data)); // half is not enough
        Assert.Empty(list.Runs);
        Assert.Equal(Errno.None, guest.Map(40, 1, 7));
        Assert.Equal(Errno.None, list.CopyTo(4096, data));
        Assert.Equal(guest.View.Span.Slice(7 * 4096, 4).ToArray(), data);
    }

    [Fact]
    public void Access_is_checked()
    {
        using var guest = new GuestMemory();
        Assert.Equal(Errno.None, guest.Map(0, 1, 0, R));
        Assert.Equal(Errno.None, guest.Map(1, 1, 1, W));
        var data = new byte[4];
        Assert.Equal(Errno.EPERM, new DmaScatterList(guest.Iommu, [new(0, 4)], RW).Resolve());
        Assert.Equal(Errno.EPERM, new DmaScatterList(guest.Iommu, [new(0, 4), new(Page, 4)], R).Resolve());
        Assert.Equal(Errno.EPERM, new DmaScatterList(guest.Iommu, [new(0, 4)], R).CopyFrom(0, data));
        var writeOnly = new DmaScatterList(guest.Iommu, [new(Page, 4)], W);
        Assert.Equal(Errno.EPERM, writeOnly.CopyTo(0, data));
        Assert.Equal(Errno.None, writeOnly.CopyFrom(0, data));
        Assert.Equal(Errno.EFAULT, new DmaScatterList(guest.Iommu, [new(2 * Page, 4)], R).Resolve());
        Assert.Equal(Errno.EFAULT, new DmaScatterList(guest.Iommu, [new(ulong.MaxValue, 4)], R).Resolve());
        Assert.Equal(Errno.EFAULT, new DmaScatterList(guest.Iommu, [new(ulong.MaxValue, 1), new(0, 4)], R).Resolve());

        var list = new DmaScatterList(guest.Iommu, [new(0, 4)], R);
        Assert.Equal(Errno.None, list.Resolve());
        guest.Iommu.BusMaster = false;
        Assert.Equal(Errno.EPERM, list.Resolve());
        Assert.Equal(Errno.EPERM, list.CopyTo(0, data));
    }

    [Theory]
    [InlineData(0UL, 10UL, 10UL, 4, Errno.None)]
    [InlineData(60UL, 10UL, 10UL, 4, Errno.None)]
    [InlineData(61UL, 10UL, 10UL, 4, Errno.EINVAL)]
    [InlineData(0UL, 30UL, 10UL, 4, Errno.None)]
    [InlineData(1UL, 30UL, 10UL, 4, Errno.EINVAL)]
    [InlineData(100UL, 0UL, 0UL, 4, Errno.None)]
    [InlineData(101UL, 0UL, 0UL, 4, Errno.EINVAL)]
    [InlineData(0UL, 10UL, 10UL, -1, Errno.EINVAL)]
    [InlineData(0UL, 10UL, 10UL, 0, Errno.None)]
    [InlineData(0UL, ulong.MaxValue, 1UL, int.MaxValue, Errno.EINVAL)]
    [InlineData(0UL, 1UL << 63, 1UL, 3, Errno.EINVAL)] // 2^64 is not 0
    [InlineData(ulong.MaxValue, 1UL, 2UL, 1, Errno.EINVAL)]
    [InlineData(0UL, 0UL, ulong.MaxValue, 1, Errno.EINVAL)]
    public void Rows_stay_within_the_list(ulong offset, ulong guestStride, ulong rowLength, int rows, Errno expected)
    {
        using GuestMemory guest = New();
        var list = new DmaScatterList(guest.Iommu, [new(5, 50), new(205, 50)], R);
        byte* destination = stackalloc byte[128];
        Assert.Equal(expected, list.CopyRowsTo(offset, guestStride, destination, 10, rowLength, rows));
    }

    [Fact]
    public void Nothing_is_a_list_too()
    {
        using GuestMemory guest = New();
        var list = new DmaScatterList(guest.Iommu, [new(0, 0)], R);
        Assert.Equal(0ul, list.Length);
        Assert.Equal(Errno.None, list.Resolve());
        Assert.Equal(Errno.None, list.CopyTo(0, []));
        Assert.Equal(Errno.EINVAL, list.CopyTo(0, new byte[1]));
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public void Copies_agree_with_a_plain_walk(int seed)
    {
        using GuestMemory guest = New();
        var random = new Random(seed);
        var entries = new List<DmaEntry>();
        var expected = new List<byte>();
        for (int i = 0; i < 200; i++)
        {
            int length = random.Next(0, 3) == 0 ? 4096 : random.Next(0, 700);
            ulong iova = (ulong)random.Next(0, (64 * 4096) - length + 1);
            if (random.Next(4) == 0 && entries.Count != 0 && entries[^1].Iova + entries[^1].Length + (ulong)length <= 64 * Page)
            {
                iova = entries[^1].Iova + entries[^1].Length;
            }

            entries.Add(new(iova, (uint)length));
            expected.AddRange(guest.View.Span.Slice((int)iova, length));
        }

        byte[] all = [.. expected];
        var list = new DmaScatterList(guest.Iommu, entries.ToArray(), RW);
        Assert.Equal((ulong)all.Length, list.Length);
        var data = new byte[all.Length];
        Assert.Equal(Errno.None, list.CopyTo(0, data));
        Assert.True(all.AsSpan().SequenceEqual(data));
        for (int i = 0; i < 2000; i++)
        {
            int at = random.Next(all.Length);
            int length = random.Next(Math.Min(9000, all.Length - at) + 1);
            Assert.Equal(Errno.None, list.CopyTo((ulong)at, data.AsSpan(0, length)));
            Assert.True(all.AsSpan(at, length).SequenceEqual(data.AsSpan(0, length)));
        }

        for (int i = 0; i < 200; i++)
        {
            int rowLength = random.Next(1, 400);
            int guestStride = rowLength + (random.Next(2) * random.Next(300));
            int stride = rowLength + (random.Next(2) * random.Next(30));
            int rows = random.Next(1, 40);
            int at = random.Next(all.Length - (((rows - 1) * guestStride) + rowLength));
            Array.Fill(data, (byte)0xee, 0, rows * stride);
            fixed (byte* destination = data)
            {
                Assert.Equal(
                    Errno.None,
                    list.CopyRowsTo((ulong)at, (ulong)guestStride, destination, (ulong)stride, (ulong)rowLength, rows));
            }

            for (int row = 0; row < rows; row++)
            {
                ReadOnlySpan<byte> to = data.AsSpan(row * stride, stride);
                Assert.True(all.AsSpan(at + (row * guestStride), rowLength).SequenceEqual(to[..rowLength]));
                Assert.Equal(-1, to[rowLength..].IndexOfAnyExcept((byte)0xee));
            }
        }
    }

    [Fact]
    public void Writes_land_where_the_entries_say()
    {
        using GuestMemory guest = New();
        var list = new DmaScatterList(guest.Iommu, [new(10, 5), new(9000, 5), new(100, 5)], RW);
        Assert.Equal(Errno.None, list.CopyFrom(3, [1, 2, 3, 4, 5, 6, 7, 8, 9]));
        Assert.Equal([1, 2], guest.View.Span.Slice(13, 2).ToArray());
        Assert.Equal([3, 4, 5, 6, 7], guest.View.Span.Slice(9000, 5).ToArray());
        Assert.Equal([8, 9], guest.View.Span.Slice(100, 2).ToArray());
        Assert.Equal(Errno.EINVAL, list.CopyFrom(14, [1, 2]));
    }

    private static GuestMemory New()
    {
        var guest = new GuestMemory();
        guest.Number();
        Assert.Equal(Errno.None, guest.Map(0, 64));
        return guest;
    }
}
