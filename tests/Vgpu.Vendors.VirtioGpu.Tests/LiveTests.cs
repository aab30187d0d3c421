// What an owner changes while the guest runs, and what it hears of the guest.
using System.Collections.Concurrent;
using Vgpu.Gpus;
using Vgpu.Screens;
using static Vgpu.Vendors.VirtioGpu.Tests.GpuCommands;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu.Tests;

public sealed class LiveTests
{
    private static readonly DisplayMode _max = new(1920, 1200);

    [Fact]
    public void The_guest_hears_of_a_new_mode_and_finds_it_in_display_info_and_EDID()
    {
        using var guest = new GpuGuest(heads: 2, maxMode: _max);
        var mode = new DisplayMode(1600, 900, 75);
        guest.Instance!.SetMode(mode);
        Assert.True(guest.ConfigInterrupt.Wait(10_000));
        Assert.Equal(VIRTIO_GPU_EVENT_DISPLAY, guest.ReadConfig(0));
        Assert.Equal(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, guest.GetDisplayInfo());
        VirtioGpuDisplayOne one = guest.ResponseAs<VirtioGpuRespDisplayInfo>().Pmodes[0];
        Assert.Equal((1600u, 900u, 1u), (one.R.Width, one.R.Height, one.Enabled));
        for (uint head = 0; head < 2; head++)
        {
            Assert.Equal(VIRTIO_GPU_RESP_OK_EDID, guest.GetEdid(head));
            Assert.Equal(Edid.Create(mode, (int)head, _max), guest.Response.Slice(32, 128).ToArray());
        }
    }

    [Theory]
    [InlineData(1921, 1080, 60, "mode 1921x1080: this type's are 64x64 to 1920x1200")]
    [InlineData(1920, 1201, 60, "to 1920x1200")]
    [InlineData(63, 64, 60, "64x64")]
    [InlineData(800, 600, 0, "refresh of 0 Hz")]
    public void A_mode_that_the_type_does_not_have_is_refused(int width, int height, int refresh, string words)
    {
        using var guest = new GpuGuest(maxMode: _max);
        ArgumentException e = Assert.Throws<ArgumentException>(() => guest.Instance!.SetMode(new DisplayMode(width, height, refresh)));
        Assert.Contains(words, e.Message, StringComparison.Ordinal);
        Assert.Equal(new DisplayMode(1024, 768), guest.Head.PreferredMode);
        Assert.Equal(0UL, guest.ConfigInterrupt.Take());
    }

    [Fact]
    public void Nobody_goes_beyond_the_largest_mode()
    {
        using var guest = new GpuGuest(maxMode: _max);
        guest.Head.RequestMode(new DisplayMode(4000, 1000));
        Assert.Equal(new DisplayMode(1920, 1000), guest.Head.PreferredMode);
        Assert.Equal(OK, guest.Create2D(1, 1921, 1200));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER, guest.SetScanout(0, 1, R(0, 0, 1921, 1200)));
        Assert.Equal(OK, guest.SetScanout(0, 1, R(1, 0, 1920, 1200)));
        Assert.Equal([new DisplayMode(1920, 1200)], guest.Instance!.Usage.Modes);
    }

    [Fact]
    public void A_lower_quota_holds_from_now_on()
    {
        using var guest = new GpuGuest(videoMemory: 32 << 20);
        Assert.Equal(OK, guest.Create2D(1, 1024, 1024));
        Assert.Equal(OK, guest.Create2D(2, 1024, 1024));
        guest.Instance!.SetVideoMemory(6 << 20);
        VgpuUsage usage = guest.Instance.Usage;
        Assert.Equal((guest.Device.VideoMemoryUsed, 6UL << 20), (usage.MemoryUsed, usage.MemoryLimit));
        Assert.True(usage.MemoryUsed > usage.MemoryLimit);
        Assert.Equal(VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY, guest.Create2D(3, 8, 8));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY, guest.Attach(2, Backing(GpuGuest.PictureOffset, 4096)));
        Assert.Equal(OK, guest.SetScanout(0, 1, R(0, 0, 1024, 768)));
        Assert.Equal(OK, guest.Unref(2));
        Assert.Equal(OK, guest.Create2D(3, 8, 8));
        guest.Instance.SetVideoMemory(32 << 20);
        Assert.Equal(OK, guest.Create2D(2, 1024, 1024));
        ArgumentException e = Assert.Throws<ArgumentException>(() => guest.Instance.SetVideoMemory(1 << 20));
        Assert.Contains("1 heads of 1024x768 need at least", e.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => guest.Instance.SetMode(new DisplayMode(8192, 8192)));
    }

    [Fact]
    public void A_quota_beyond_the_room_of_the_checkpoint_is_refused()
    {
        using var file = new Testing.CheckpointFile();
        using var guest = new GpuGuest(videoMemory: 8 << 20);
        file.Keep(guest.Function);
        guest.Instance!.SetVideoMemory(9 << 20);
        ArgumentException e = Assert.Throws<ArgumentException>(() => guest.Instance.SetVideoMemory(1UL << 30));
        Assert.Contains("stop it and start it again", e.Message, StringComparison.Ordinal);
        Assert.Equal(9UL << 20, guest.Instance.Usage.MemoryLimit);
    }

    [Fact]
    public void Modes_resets_faults_and_the_quota_are_told_of()
    {
        using var guest = new GpuGuest(heads: 2, videoMemory: 8 << 20);
        var notices = new ConcurrentQueue<VgpuNotice>();
        guest.Instance!.Noticed += notices.Enqueue;
        Assert.Equal(OK, guest.Create2D(1, 640, 480));
        Assert.Equal(OK, guest.SetScanout(1, 1, R(0, 0, 640, 480)));
        Assert.Equal(OK, guest.SetScanout(1, 1, R(0, 0, 640, 480)));
        Assert.Equal(OK, guest.SetScanout(1, 0, default));
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY, guest.Create2D(2, 4096, 4096));
            Assert.Equal(VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID, guest.Unref(7));
        }

        guest.ResetFunction();
        guest.ResetFunction();
        Assert.Equal(
            [VgpuNoticeKind.ModeSet, VgpuNoticeKind.ModeSet, VgpuNoticeKind.QuotaRefused, VgpuNoticeKind.GuestFault, VgpuNoticeKind.Reset],
            notices.Select(notice => notice.Kind));
        VgpuNotice[] all = [.. notices];
        Assert.Equal((1, new DisplayMode(640, 480), "head 1 shows 640x480@60"), (all[0].Head, all[0].Mode, all[0].Text));
        Assert.Null(all[1].Mode);
        Assert.Equal("command 0x0101 was answered with OUT_OF_MEMORY", all[2].Text);
        Assert.Equal("command 0x0102 was answered with error 0x1203", all[3].Text);
    }

    [Fact]
    public void A_guest_that_sets_modes_without_end_is_heard_at_a_bounded_rate()
    {
        using var guest = new GpuGuest();
        int heard = 0;
        guest.Instance!.Noticed += _ => Interlocked.Increment(ref heard);
        Assert.Equal(OK, guest.Create2D(1, 64, 64));
        long start = Environment.TickCount64;
        for (uint i = 0; i < 300; i++)
        {
            Assert.Equal(OK, guest.SetScanout(0, 1, R(0, 0, 1 + (i % 2), 8)));
        }

        Assert.InRange(heard, 32, 33 + ((Environment.TickCount64 - start) / 250));
    }

    [Fact]
    public void Types_are_sized_and_their_limits_hold()
    {
        var vendor = new VirtioVendor();
        Assert.Equal(
            [("virtio-gpu", 256, 16, 16_384, 16_384), ("virtio-gpu-64m", 64, 1, 1920, 1200), ("virtio-gpu-128m", 128, 2, 2560, 1600),
                ("virtio-gpu-512m", 512, 4, 3840, 2160), ("virtio-gpu-1g", 1024, 8, 5120, 2880)],
            vendor.Types.Select(type => (type.Name, (int)(type.DefaultVideoMemory >> 20), type.MaxHeads, type.MaxMode.Width, type.MaxMode.Height)));
        foreach (VgpuType type in vendor.Types.Skip(1))
        {
            var most = new VgpuOptions { Name = "most", Heads = type.MaxHeads, Mode = type.MaxMode };
            using (VgpuInstance instance = Make(vendor, type, most))
            {
                Assert.Equal(type.DefaultVideoMemory, instance.Usage.MemoryLimit);
            }

            Assert.Throws<ArgumentException>(() => Make(vendor, type, most with { Heads = type.MaxHeads + 1 }));
            Assert.Throws<ArgumentException>(() => Make(vendor, type, most with { Mode = type.MaxMode with { Width = type.MaxMode.Width + 1 } }));
        }

        Assert.Throws<ArgumentException>(() => Make(vendor, new VgpuType("bochs-display", "", 1, 1 << 24), new VgpuOptions { Name = "x" }));
    }

    private static VgpuInstance Make(VirtioVendor vendor, VgpuType type, VgpuOptions options)
    {
        using var iommu = new Vfio.Iommu.Type2();
        return vendor.Create(type, options, iommu, new Host.Software.SoftwareRenderer(), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
    }
}
