// What a guest makes the host hold: bounded, given back, and never used after it is gone.
using Vgpu.Host.Software;
using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.Vfio.Iommu;
using static Vgpu.Vendors.VirtioGpu.Tests.GpuCommands;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu.Tests;

public sealed class MemoryTests
{
    private const uint OutOfMemory = VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;

    [Fact]
    public void The_quota_bounds_pixels_and_all_of_it_comes_back()
    {
        using var guest = new GpuGuest(videoMemory: 16 << 20);
        uint id = 0;
        while (guest.Create2D(id + 1, 512, 512) == OK)
        {
            id++;
        }

        Assert.Equal(15u, id);
        Assert.Equal(OutOfMemory, guest.Create2D(99, 512, 512));
        Assert.Equal(OK, guest.Unref(1));
        Assert.Equal(OK, guest.Create2D(99, 512, 512));
        Assert.True(guest.Device.VideoMemoryUsed <= 16 << 20);
        guest.ResetFunction();
        Assert.Equal((0UL, 0), (guest.Device.VideoMemoryUsed, guest.Device.ResourceCount));
    }

    [Fact]
    public void The_quota_bounds_backing_lists_and_tiny_resources()
    {
        using var guest = new GpuGuest(videoMemory: 1 << 20);
        var entries = new VirtioGpuMemEntry[8_000];
        for (int i = 0; i < entries.Length; i++)
        {
            entries[i] = new VirtioGpuMemEntry { Addr = GpuGuest.RamIova + GpuGuest.PictureOffset + (ulong)(i % 4096 * 16), Length = 1 };
        }

        Assert.Equal(OK, guest.Create2D(1, 1, 1));
        Assert.Equal(OutOfMemory, guest.Attach(1, entries));
        Assert.Equal(OK, guest.Attach(1, entries.AsSpan(0, 7_000)));
        uint id = 1;
        while (guest.Create2D(id + 1, 1, 1) == OK)
        {
            id++;
        }

        Assert.InRange(id, 2u, 50u);
        Assert.Equal(OK, guest.Detach(1));
        Assert.Equal(OK, guest.Create2D(id + 1, 1, 1));
    }

    [Fact]
    public void The_quota_bounds_the_copies_of_blobs()
    {
        using var guest = new GpuGuest(heads: 4, videoMemory: 1 << 20);
        const int bytes = 256 * 256 * 4;
        Assert.Equal(OK, guest.CreateBlob(1, bytes, Backing(GpuGuest.PictureOffset, bytes)));
        ulong used = guest.Device.VideoMemoryUsed;
        for (uint head = 0; head < 4; head++)
        {
            Assert.Equal(head == 3 ? OutOfMemory : OK, guest.SetScanoutBlob(head, 1, R(0, 0, 256, 256), 256, 256, 1024));
        }

        Assert.NotNull(guest.Screen.Heads[2].Capture(false));
        Assert.Null(guest.Screen.Heads[3].Capture(false));
        for (uint head = 0; head < 4; head++)
        {
            Assert.Equal(OK, guest.SetScanout(head, 0, default));
        }

        Assert.Equal(used, guest.Device.VideoMemoryUsed);
    }

    [Fact]
    public void Resources_are_bounded_in_number()
    {
        using var guest = new GpuGuest(videoMemory: 1UL << 40);
        for (uint id = 1; id <= MaxResources; id++)
        {
            Assert.Equal(OK, guest.Create2D(id, 1, 1));
        }

        Assert.Equal(OutOfMemory, guest.Create2D(uint.MaxValue, 1, 1));
        Assert.Equal(OutOfMemory, guest.CreateBlob(uint.MaxValue, 4, Backing(GpuGuest.PictureOffset, 4)));
        Assert.Equal(OK, guest.Unref(5));
        Assert.Equal(OK, guest.Create2D(uint.MaxValue, 1, 1));
    }

    [Fact]
    public void Surfaces_are_bounded_in_number()
    {
        using var guest = new GpuGuest(videoMemory: 1UL << 40);
        for (uint id = 1; id <= SoftwareRenderer.MaxSurfaces; id++)
        {
            Assert.Equal(OK, guest.Create2D(id, 1, 1));
            Assert.Equal(OK, guest.SetScanout(0, id, R(0, 0, 1, 1)));
        }

        Assert.Equal(OK, guest.Create2D(100_000, 1, 1));
        Assert.Equal(OutOfMemory, guest.SetScanout(0, 100_000, R(0, 0, 1, 1)));
        Assert.Equal(OK, guest.Unref(1));
        Assert.Equal(OK, guest.SetScanout(0, 100_000, R(0, 0, 1, 1)));
    }

    [Fact]
    public void Ten_thousand_lives_leave_nothing_behind()
    {
        using var guest = new GpuGuest();
        Live(guest, 100);
        (int descriptors, int maps) before = Held();
        Live(guest, 10_000);
        (int descriptors, int maps) after = Held();
        Assert.Equal(before.descriptors, after.descriptors);

        // The runtime's own heap and code may take some maps meanwhile.
        Assert.InRange(after.maps, 0, before.maps + 64);
        Assert.Equal((0UL, 0), (guest.Device.VideoMemoryUsed, guest.Device.ResourceCount));
    }

    [Fact]
    public void A_device_that_goes_takes_everything_along()
    {
        new GpuGuest().Dispose();
        (int descriptors, int _) = Held();
        using (var guest = new GpuGuest(heads: 2))
        {
            Assert.Equal(OK, guest.Create2D(1, 64, 64));
            Assert.Equal(OK, guest.SetScanout(0, 1, R(0, 0, 64, 64)));
            Assert.Equal(OK, guest.CreateBlob(2, 64 * 64 * 4, Backing(GpuGuest.PictureOffset, 64 * 64 * 4)));
            Assert.Equal(OK, guest.SetScanoutBlob(1, 2, R(0, 0, 64, 64), 64, 64, 256));
        }

        Assert.Equal(descriptors, Held().Descriptors);
    }

    [Fact]
    public void An_unmap_between_attach_and_transfer_is_seen()
    {
        using var guest = new GpuGuest();
        const ulong iova = 0x9000_0000;
        const int bytes = 64 * 64 * 4;
        Map(guest, iova, GpuGuest.PictureOffset);
        guest.Ram(GpuGuest.PictureOffset, bytes).Fill(1);
        guest.Ram(GpuGuest.PictureOffset + 0x10_0000, bytes).Fill(2);
        Assert.Equal(OK, guest.Create2D(1, 64, 64));
        Assert.Equal(OK, guest.Attach(1, new VirtioGpuMemEntry { Addr = iova, Length = bytes }));
        Assert.Equal(OK, guest.CreateBlob(2, bytes, [new() { Addr = iova, Length = bytes }]));
        Assert.Equal(OK, guest.SetScanout(0, 1, R(0, 0, 64, 64)));
        Assert.Equal(OK, guest.Transfer(1, R(0, 0, 64, 64)));

        Assert.Equal(Errno.None, guest.Iommu.Unmap(iova, 0x10_0000));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_UNSPEC, guest.Transfer(1, R(0, 0, 64, 64)));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_UNSPEC, guest.UpdateCursor(0, 2, 0, 0));
        Assert.Equal(1, guest.Head.Capture(false)!.Pixels.Span[0]);

        // What is mapped there next is what the next transfer reads.
        Map(guest, iova, GpuGuest.PictureOffset + 0x10_0000);
        Assert.Equal(OK, guest.Transfer(1, R(0, 0, 64, 64)));
        Assert.Equal(2, guest.Head.Capture(false)!.Pixels.Span[0]);
        Assert.Equal(OK, guest.UpdateCursor(0, 2, 0, 0));
        Assert.Equal(2, guest.Head.Cursor.Image!.Pixels.Span[0]);
    }

    [Fact]
    public async Task Memory_that_comes_and_goes_is_waited_for()
    {
        using var guest = new GpuGuest();
        const ulong iova = 0x9000_0000;
        const int bytes = 64 * 64 * 4;
        Map(guest, iova, GpuGuest.PictureOffset);
        Assert.Equal(OK, guest.Create2D(1, 64, 64));
        Assert.Equal(OK, guest.Attach(1, new VirtioGpuMemEntry { Addr = iova, Length = bytes }));
        const int rounds = 500;
        using var round = new Barrier(2);
        Task client = Task.Run(() =>
        {
            for (int i = 0; i < rounds; i++)
            {
                Assert.True(round.SignalAndWait(30_000));
                for (int remap = 0; remap < 3; remap++)
                {
                    Assert.Equal(Errno.None, guest.Iommu.Unmap(iova, 0x10_0000));
                    Map(guest, iova, GpuGuest.PictureOffset);
                }
            }
        });
        for (int i = 0; i < rounds; i++)
        {
            Assert.True(round.SignalAndWait(30_000));
            Assert.Equal(OK, guest.Transfer(1, R(0, 0, 64, 64)));
            Assert.Equal(OK, guest.CreateBlob(2, bytes, [new() { Addr = iova, Length = bytes }]));
            Assert.Equal(OK, guest.SetScanoutBlob(0, 2, R(0, 0, 64, 64), 64, 64, 256));
            Assert.Equal(OK, guest.Flush(2, R(0, 0, 64, 64)));
            Assert.Equal(OK, guest.UpdateCursor(0, 2, 0, 0));
            Assert.Equal(OK, guest.Unref(2));
        }

        await client;
        Assert.Equal(OK, guest.Transfer(1, R(0, 0, 64, 64)));
    }

    [Fact]
    public async Task While_one_command_waits_for_memory_the_device_answers()
    {
        using var guest = new GpuGuest();
        const ulong iova = 0x9000_0000;
        Map(guest, iova, GpuGuest.PictureOffset);
        Assert.Equal(OK, guest.Create2D(1, 64, 64));
        Assert.Equal(OK, guest.Attach(1, new VirtioGpuMemEntry { Addr = iova, Length = 64 * 64 * 4 }));
        Assert.Equal(Errno.None, guest.Iommu.Unmap(iova, 0x10_0000));
        long start = Environment.TickCount64;
        Task<uint> transfer = Task.Run(() => guest.Transfer(1, R(0, 0, 64, 64)));
        int reads = 0;
        while (!transfer.IsCompleted)
        {
            Assert.Equal(1u, guest.ReadConfig(2));
            reads++;
        }

        Assert.Equal(VIRTIO_GPU_RESP_ERR_UNSPEC, await transfer);
        Assert.True(reads > 100, $"{reads} register reads");
        Assert.InRange(Environment.TickCount64 - start, 400, 5_000);

        // Long after the last unmap nobody waits for what is not there.
        start = Environment.TickCount64;
        Assert.Equal(VIRTIO_GPU_RESP_ERR_UNSPEC, guest.Transfer(1, R(0, 0, 64, 64)));
        Assert.InRange(Environment.TickCount64 - start, 0, 400);
    }

    [Fact]
    public void A_client_that_cuts_its_memory_to_pieces_is_bounded()
    {
        using var guest = new GpuGuest();
        const ulong iova = 0x9000_0000;
        const uint pages = 256;
        for (uint i = 0; i < pages; i++)
        {
            // Every other page of the file, so that no two are neighbours here.
            Assert.Equal(Errno.None, guest.Iommu.Map(
                iova + (i * 4096), 4096, IommuProtection.IOMMU_READ, guest.RamFile.Duplicate(), GpuGuest.PictureOffset + (i * 8192)));
        }

        var whole = new VirtioGpuMemEntry { Addr = iova, Length = pages * 4096 };
        var few = new VirtioGpuMemEntry { Addr = iova, Length = 10 * 4096 };
        Assert.Equal(OK, guest.Create2D(1, 16, 16));
        ulong used = guest.Device.VideoMemoryUsed;
        Assert.Equal(OutOfMemory, guest.Attach(1, whole));
        Assert.Equal(used, guest.Device.VideoMemoryUsed);
        Assert.Equal(OK, guest.Attach(1, few));
        Assert.Equal(OK, guest.Transfer(1, R(0, 0, 16, 16)));
    }

    [Fact]
    public void A_mode_change_of_a_blob_needs_no_room_for_both_copies()
    {
        using var guest = new GpuGuest(videoMemory: 1 << 20);
        const int bytes = 400 * 400 * 4;
        Assert.Equal(OK, guest.CreateBlob(1, bytes, Backing(GpuGuest.PictureOffset, bytes)));
        Assert.Equal(OK, guest.SetScanoutBlob(0, 1, R(0, 0, 400, 400), 400, 400, 1600));
        Assert.Equal(OK, guest.SetScanoutBlob(0, 1, R(0, 0, 399, 400), 400, 400, 1600));
        Assert.Equal((399, 400), (guest.Head.State.Width, guest.Head.State.Height));
    }

    [Fact]
    public void A_reset_frees_all_and_the_driver_starts_anew()
    {
        using var guest = new GpuGuest(heads: 2);
        for (int round = 0; round < 80; round++)
        {
            Assert.Equal(OK, guest.Create2D(1, 64, 64));
            Assert.Equal(OK, guest.Attach(1, Backing(GpuGuest.PictureOffset, 64 * 64 * 4)));
            Assert.Equal(OK, guest.SetScanout(0, 1, R(0, 0, 64, 64)));
            Assert.Equal(OK, guest.CreateBlob(2, 4096, Backing(GpuGuest.PictureOffset, 4096)));
            Assert.Equal(OK, guest.SetScanoutBlob(1, 2, R(0, 0, 16, 16), 16, 16, 64));
            Assert.Equal(OK, guest.Transfer(1, R(0, 0, 64, 64)));
            guest.ResetFunction();
            Assert.All(guest.Screen.Heads, head => Assert.Null(head.Capture(false)));
            Assert.Equal((0UL, 0), (guest.Device.VideoMemoryUsed, guest.Device.ResourceCount));
            guest.Start(GpuGuest.AllFeatures);
            Assert.Equal(VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID, guest.Transfer(1, R(0, 0, 64, 64)));
        }
    }

    private static (int Descriptors, int Maps) Held() =>
        (OwnDescriptors.Count("/memfd:vgpu", "/memfd:guest", "[eventfd]"), File.ReadLines("/proc/self/maps").Count());

    private static void Map(GpuGuest guest, ulong iova, ulong offset) =>
        Assert.Equal(Errno.None, guest.Iommu.Map(iova, 0x10_0000, IommuProtection.IOMMU_READ, guest.RamFile.Duplicate(), offset));

    private static void Live(GpuGuest guest, int count)
    {
        for (uint i = 1; i <= count; i++)
        {
            Assert.Equal(OK, guest.Create2D(i, 32, 32));
            Assert.Equal(OK, guest.Attach(i, Backing(GpuGuest.PictureOffset, 4096)));
            if (i % 4 == 0)
            {
                Assert.Equal(OK, guest.SetScanout(0, i, R(0, 0, 32, i % 8 == 0 ? 32u : 16u)));
            }

            Assert.Equal(OK, guest.Unref(i));
        }
    }
}
