using Vgpu.Linux;
using Vgpu.Vfio.Iommu;
using static Vgpu.Vfio.Tests.Iommu.GuestMemory;

namespace Vgpu.Vfio.Tests.Iommu;

/// <summary>The order of an unmap: invisible, told and waited for, gone.</summary>
public sealed unsafe class Type2UnmapTests
{
    [Fact]
    public void Devices_are_told_of_the_range_asked_for()
    {
        using var guest = new GuestMemory();
        using var first = new FakeDevice(guest.Iommu);
        using var second = new FakeDevice(guest.Iommu);
        guest.Iommu.Attach(first); // twice is once
        Assert.Equal(Errno.None, guest.Map(2, 2));
        Assert.Equal(Errno.None, guest.Map(8, 2));

        Assert.Equal(Errno.ENOENT, guest.Iommu.Unmap(0, 2 * Page));
        Assert.Equal(Errno.EINVAL, guest.Iommu.Unmap(0, 3 * Page));
        Assert.Empty(first.Unmaps);
        Assert.Equal(Errno.None, guest.Iommu.Unmap(0, 16 * Page));

        Assert.Equal([(0UL, 16 * Page)], first.Unmaps);
        Assert.Equal([(0UL, 16 * Page)], second.Unmaps);
        second.Dispose();
        Assert.Equal(Errno.None, guest.Map(2, 2));
        guest.Iommu.UnmapAll();
        Assert.Equal((2 * Page, 2 * Page), first.Unmaps[^1]);
        Assert.Single(second.Unmaps);
        guest.Iommu.UnmapAll();
        Assert.Equal(2, first.Unmaps.Count);
    }

    [Fact]
    public void Unmap_all_covers_the_whole_address_space()
    {
        using var guest = new GuestMemory();
        using var device = new FakeDevice(guest.Iommu);
        Assert.Equal(Errno.None, guest.Map(0, 1));
        Assert.Equal(Errno.None, guest.Map(0xf_ffff_ffff_ffff, 1));

        guest.Iommu.UnmapAll();

        Assert.Equal([(0UL, 1UL << 63), (1UL << 63, 1UL << 63)], device.Unmaps);
        Assert.Equal((0, 0), (guest.Iommu.MapCount, guest.Iommu.MappedFileCount));
    }

    [Fact]
    public void The_range_is_invisible_but_alive_while_devices_are_told()
    {
        using var guest = new GuestMemory();
        using var device = new FakeDevice(guest.Iommu);
        Assert.Equal(Errno.None, guest.Map(0, 1));
        guest.View.Span[9] = 99;
        Assert.Equal(Errno.None, guest.Iommu.TryGetRun(0, Page, R, out HostRun run));
        var seen = (Errno.None, Errno.None, 0);
        device.OnDmaUnmap = (_, _) => seen = (
            guest.Iommu.TryGetRun(0, 1, R, out HostRun _), guest.Iommu.PinPages(0, 1, R, new nint[1]), ((byte*)run.Address)[9]);

        Assert.Equal(Errno.None, guest.Iommu.Unmap(0, Page));

        Assert.Equal((Errno.EFAULT, Errno.EINVAL, 99), seen);
        Assert.Equal(0, guest.Iommu.MappedFileCount);
    }

    [Fact]
    public void Unmap_waits_for_a_worker_that_holds_the_device()
    {
        using var guest = new GuestMemory();
        using var device = new FakeDevice(guest.Iommu);
        Assert.Equal(Errno.None, guest.Map(0, 1));
        using var inside = new ManualResetEventSlim();
        using var leave = new ManualResetEventSlim();
        bool unmapped = false;
        bool early = false;
        var worker = new Thread(() =>
        {
            lock (device.Lock)
            {
                Assert.Equal(Errno.None, guest.Iommu.TryGetRun(0, Page, RW, out HostRun run));
                inside.Set();
                leave.Wait();
                run.Span.Fill(3); // would end the process were it unmapped
                early = Volatile.Read(ref unmapped);
            }
        });
        worker.Start();
        inside.Wait();
        var unmapper = new Thread(() =>
        {
            Assert.Equal(Errno.None, guest.Iommu.Unmap(0, Page));
            Volatile.Write(ref unmapped, true);
        });
        unmapper.Start();

        // Invisible at once, and waiting: only then may the worker go on.
        SpinWait.SpinUntil(() => guest.Iommu.MapCount == 0);
        SpinWait.SpinUntil(() => (unmapper.ThreadState & ThreadState.WaitSleepJoin) != 0);
        Assert.Equal(1, guest.Iommu.MappedFileCount);
        leave.Set();
        unmapper.Join();
        worker.Join();

        Assert.False(early);
        Assert.Equal(0, guest.Iommu.MappedFileCount);
        Assert.Equal(3, guest.View.Span[4095]);
    }

    [Fact]
    public void Workers_and_unmaps_race()
    {
        using var guest = new GuestMemory(pages: 4);
        using var device = new FakeDevice(guest.Iommu);
        var list = new DmaScatterList(guest.Iommu, [new(0, 4096), new(2 * Page, 4096)], RW);
        device.OnDmaUnmap = list.Drop;
        bool stop = false;
        int reached = 0;
        var unexpected = new List<Errno>();
        var worker = new Thread(() =>
        {
            var data = new byte[8192];
            while (!Volatile.Read(ref stop))
            {
                lock (device.Lock)
                {
                    Errno copied = list.CopyTo(0, data);
                    Errno written = guest.Iommu.DmaRw(100, data.AsSpan(0, 4096), write: true);
                    Errno found = guest.Iommu.TryGetRun(3 * Page, Page, RW, out HostRun run);
                    if (found == Errno.None)
                    {
                        run.Span.Fill(1);
                        reached++;
                    }

                    unexpected.AddRange(new[] { copied, written, found }.Where(e => e is not (Errno.None or Errno.EFAULT)));
                }
            }
        });
        worker.Start();
        for (int i = 0; i < 400 || Volatile.Read(ref reached) == 0; i++)
        {
            Assert.Equal(Errno.None, guest.Map(0, 1, 0));
            Assert.Equal(Errno.None, guest.Map(1, 3, 1));
            Assert.Equal(Errno.None, (i & 1) == 0 ? guest.Iommu.Unmap(0, 4 * Page) : guest.Iommu.Unmap(0, Page));
            if ((i & 1) != 0)
            {
                guest.Iommu.UnmapAll();
            }
        }

        Volatile.Write(ref stop, true);
        worker.Join();
        Assert.Empty(unexpected);
        Assert.Equal(0, guest.Iommu.MappedFileCount);
    }

    [Fact]
    public void Maps_come_to_an_end_and_a_disposed_domain_takes_none()
    {
        using var guest = new GuestMemory(maxMaps: 3);
        for (ulong i = 0; i < 3; i++)
        {
            Assert.Equal(Errno.None, guest.Map(i, 1));
        }

        Assert.Equal(Errno.ENOSPC, guest.Map(3, 1));
        Assert.Equal(Errno.EEXIST, guest.Map(2, 1));
        Assert.Equal(Errno.None, guest.Iommu.Unmap(0, Page));
        Assert.Equal(Errno.None, guest.Map(3, 1));
        guest.Iommu.Dispose();
        guest.Iommu.Dispose();
        Assert.Equal((0, 0), (guest.Iommu.MapCount, guest.Iommu.MappedFileCount));
        Assert.Equal(Errno.ENODEV, guest.Map(0, 1));
        Assert.Equal(Errno.EFAULT, guest.Iommu.DmaRw(0, new byte[1], write: false));
    }
}
