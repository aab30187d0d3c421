// What the driver learns of the screen, and of changes to it; fences and names.
using Vgpu.Screens;
using static Vgpu.Vendors.VirtioGpu.Tests.GpuCommands;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu.Tests;

public sealed class DisplayTests
{
    [Fact]
    public void Display_info_has_the_preferred_modes_of_connected_heads()
    {
        using var guest = new GpuGuest(heads: 3);
        guest.Screen.Heads[2].RequestMode(new DisplayMode(800, 600));
        guest.Screen.Heads[2].SetConnected(true);
        Assert.Equal(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, guest.GetDisplayInfo());
        Assert.Equal(408u, guest.ResponseLength);
        VirtioGpuRespDisplayInfo info = guest.ResponseAs<VirtioGpuRespDisplayInfo>();
        Assert.Equal((1u, 0u, 1024u, 768u), (info.Pmodes[0].Enabled, info.Pmodes[0].R.X, info.Pmodes[0].R.Width, info.Pmodes[0].R.Height));
        Assert.Equal((0u, 0u), (info.Pmodes[1].Enabled, info.Pmodes[1].R.Width));
        Assert.Equal((1u, 1024u, 800u, 600u), (info.Pmodes[2].Enabled, info.Pmodes[2].R.X, info.Pmodes[2].R.Width, info.Pmodes[2].R.Height));
        Assert.Equal(0u, info.Pmodes[3].Enabled);
    }

    [Fact]
    public void Configuration_says_the_scanouts_and_no_capsets()
    {
        using var guest = new GpuGuest(heads: 5);
        Assert.Equal([0u, 0u, 5u, 0u], Enumerable.Range(0, 4).Select(guest.ReadConfig));
    }

    [Fact]
    public void A_mode_change_raises_the_display_event_until_it_is_cleared()
    {
        using var guest = new GpuGuest();
        Assert.Equal(0u, guest.ReadConfig(0));
        guest.Head.RequestMode(new DisplayMode(1920, 1080));
        Assert.True(guest.ConfigInterrupt.Wait(10_000));
        _ = guest.ConfigInterrupt.Take();
        Assert.Equal(VIRTIO_GPU_EVENT_DISPLAY, guest.ReadConfig(0));
        guest.WriteConfig(0, 0);
        guest.WriteConfig(1, 2);
        Assert.Equal(VIRTIO_GPU_EVENT_DISPLAY, guest.ReadConfig(0));
        guest.WriteConfig(1, VIRTIO_GPU_EVENT_DISPLAY);
        Assert.Equal(0u, guest.ReadConfig(0));
        Assert.Equal(0u, guest.ReadConfig(1));
        _ = guest.GetDisplayInfo();
        Assert.Equal(1920u, guest.ResponseAs<VirtioGpuRespDisplayInfo>().Pmodes[0].R.Width);
    }

    [Fact]
    public void Edid_is_the_heads()
    {
        using var guest = new GpuGuest(heads: 2);
        guest.Screen.Heads[1].RequestMode(new DisplayMode(1280, 720));
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(VIRTIO_GPU_RESP_OK_EDID, guest.GetEdid((uint)i));
            Assert.Equal(24u + 8 + 1024, guest.ResponseLength);
            VirtioGpuRespEdid response = guest.ResponseAs<VirtioGpuRespEdid>();
            ReadOnlySpan<byte> edid = guest.Screen.Heads[i].Edid.Span;
            Assert.Equal((uint)edid.Length, response.Size);
            Assert.True(edid.SequenceEqual(((ReadOnlySpan<byte>)response.Edid)[..edid.Length]));
        }
    }

    [Fact]
    public void A_fence_comes_back_with_any_response()
    {
        using var guest = new GpuGuest();
        var hdr = new VirtioGpuCtrlHdr { Flags = 0xffff_fffd, FenceId = 0x0102_0304_0506_0708, CtxId = 42, RingIdx = 9 };
        foreach (uint type in (uint[])[VIRTIO_GPU_CMD_GET_DISPLAY_INFO, VIRTIO_GPU_CMD_RESOURCE_UNREF, 0x0200])
        {
            _ = guest.Send(type, new VirtioGpuResourceOnly { Hdr = hdr });
            VirtioGpuCtrlHdr response = guest.ResponseAs<VirtioGpuCtrlHdr>();
            Assert.Equal((1u, hdr.FenceId, 42u, (byte)0), (response.Flags, response.FenceId, response.CtxId, response.RingIdx));
        }

        hdr.Flags = VIRTIO_GPU_FLAG_FENCE | VIRTIO_GPU_FLAG_INFO_RING_IDX;
        _ = guest.Send(VIRTIO_GPU_CMD_GET_DISPLAY_INFO, hdr);
        Assert.Equal((3u, (byte)9), (guest.ResponseAs<VirtioGpuCtrlHdr>().Flags, guest.ResponseAs<VirtioGpuCtrlHdr>().RingIdx));

        hdr.Flags = 0;
        _ = guest.Send(VIRTIO_GPU_CMD_GET_DISPLAY_INFO, hdr);
        VirtioGpuCtrlHdr plain = guest.ResponseAs<VirtioGpuCtrlHdr>();
        Assert.Equal((0u, 0ul, 0u), (plain.Flags, plain.FenceId, plain.CtxId));
    }

    [Fact]
    public void A_resource_has_one_uuid_of_its_own()
    {
        using var guest = new GpuGuest();
        Assert.Equal(OK, guest.Create2D(1, 8, 8));
        Assert.Equal(OK, guest.Create2D(2, 8, 8));
        Guid first = Uuid(guest, 1);
        Assert.NotEqual(Guid.Empty, first);
        Assert.Equal(first, Uuid(guest, 1));
        Assert.NotEqual(first, Uuid(guest, 2));
    }

    private static Guid Uuid(GpuGuest guest, uint id)
    {
        Assert.Equal(VIRTIO_GPU_RESP_OK_RESOURCE_UUID, guest.AssignUuid(id));
        Assert.Equal(40u, guest.ResponseLength);
        return guest.ResponseAs<VirtioGpuRespResourceUuid>().Uuid;
    }
}
