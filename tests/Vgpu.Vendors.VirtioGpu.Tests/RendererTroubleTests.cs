// A renderer that stands still, memory that goes away under it, a process that is killed, a move: nobody waits for it for ever,
// and the guest keeps what is not the renderer's.
using System.Collections.Concurrent;
using Vgpu.Gpus;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Vfio.Migration;
using static Vgpu.Vendors.VirtioGpu.Tests.GpuCommands;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu.Tests;

public sealed class RendererTroubleTests : IDisposable
{
    private const int Side = StateTests.Side;
    private const int Bytes = Side * Side * 4;

    private static readonly RendererPatience s_short = new(TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(100));

    private readonly FakeRenderer3D _renderer = new();

    [Fact]
    public void A_reset_comes_back_while_the_renderer_stands_and_what_was_before_is_forgotten()
    {
        using GpuGuest guest = Make(s_short);
        Assert.Equal(OK, guest.CreateContext(1));
        Assert.Equal(OK, guest.Create3D(1, Side, Side));
        Assert.Equal(OK, guest.SetScanout(0, 1, R(0, 0, Side, Side)));
        _ = guest.PostFence(0, fence: 5);
        Assert.Equal(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, guest.GetDisplayInfo());
        _renderer.StandStill();
        _ = guest.PostFence(1, fence: 6);
        _renderer.AwaitStand();

        // The registers and the cursor go on meanwhile, and a reset does.
        Assert.Equal(1u, guest.ReadConfig(2));
        Assert.Equal(OK, guest.MoveCursor(0, 3, 4));
        guest.Start(RenderingCommands.Features);
        Assert.Equal(0UL, guest.Device.VideoMemoryUsed);
        Assert.Null(guest.Head.Capture(false));
        Assert.DoesNotContain("Reset", _renderer.Calls);
        guest.Post(VIRTIO_GPU_CMD_CTX_CREATE, new VirtioGpuCtxCreate { Hdr = { CtxId = 1 } });
        Assert.Equal(0, guest.Answered);

        _renderer.GoOn();
        guest.Await(1);
        string[] calls = _renderer.Calls;
        Assert.True(Array.IndexOf(calls, "Reset") is int at and > 0 && Array.IndexOf(calls, "CreateContext 1 0 ", at) > at, string.Join('\n', calls));
        Assert.Equal(OK, guest.Create3D(1, Side, Side));
        Assert.Equal(2, guest.Answered); // No answer of before the reset is among them.
        Assert.Empty(_renderer.Due);
    }

    [Fact]
    public void A_renderer_that_hangs_is_told_of_once()
    {
        using GpuGuest guest = Make(s_short);
        using var told = new BlockingCollection<VgpuNotice>();
        guest.Instance!.Noticed += notice =>
        {
            if (notice.Kind == VgpuNoticeKind.RendererHung)
            {
                told.Add(notice);
            }
        };
        Assert.Equal(OK, guest.CreateContext(1));
        _renderer.StandStill();
        _ = guest.PostFence(0, fence: 1);
        Assert.True(told.TryTake(out VgpuNotice? first, 30_000));
        Assert.Contains("has not come back", first.Text, StringComparison.Ordinal);
        _renderer.GoOn();
        Assert.Equal(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, guest.GetDisplayInfo());
        _renderer.StandStill();
        _ = guest.PostFence(1, fence: 2);
        Assert.True(told.TryTake(out _, 30_000)); // Another command, another line.
        _renderer.GoOn();
    }

    [Fact]
    public void Memory_is_let_go_of_before_an_unmap_returns_and_used_again_after_a_map()
    {
        using GpuGuest guest = Make(RendererPatience.Default);
        new Random(4).NextBytes(guest.Ram(GpuGuest.PictureOffset, Bytes));
        Assert.Equal(OK, guest.Create3D(1, Side, Side));
        Assert.Equal(OK, guest.Create3D(2, Side, Side));
        Assert.Equal(OK, guest.Attach(1, Backing(GpuGuest.PictureOffset, Bytes)));
        Assert.Equal(OK, guest.SetScanout(0, 1, R(0, 0, Side, Side)));
        guest.Unmap();
        Assert.Equal("DetachBacking 1", _renderer.Calls[^1]);
        guest.Map();
        Assert.Equal(OK, guest.Transfer3D(1, 0, 0, Side, Side));
        Assert.Equal(["DetachBacking 1", "AttachBacking 1", "Transfer 0 1"], _renderer.Calls[^3..]);
        Assert.Equal(OK, guest.Flush(1, R(0, 0, Side, Side)));
        StateTests.AssertShowsRam(guest, 0, GpuGuest.PictureOffset, new Rect(0, 0, Side, Side));
    }

    [Fact]
    public void An_unmap_comes_back_while_the_renderer_stands_and_the_memory_stays_where_it_points()
    {
        using GpuGuest guest = MakeStanding();
        guest.Unmap();
        Assert.DoesNotContain("DetachBacking 1", _renderer.Calls);
        Assert.True(_renderer.CanReadBacking(1));
        _renderer.GoOn();
        guest.Map();
        guest.Kick();
        Assert.Equal(OK, guest.Transfer3D(1, 0, 0, Side, Side));
        string[] calls = _renderer.Calls;
        Assert.True(Array.IndexOf(calls, "DetachBacking 1") is int at and > 0 && Array.IndexOf(calls, "AttachBacking 1", at) > at, string.Join('\n', calls));
    }

    [Fact]
    public void After_a_reset_that_it_did_not_hear_of_no_memory_is_taken_from_under_it()
    {
        using GpuGuest guest = MakeStanding();
        guest.ResetFunction();
        guest.Unmap();
        Assert.True(_renderer.CanReadBacking(1));
        guest.Map();
        _renderer.GoOn();
        guest.Start(RenderingCommands.Features);
        Assert.Equal(OK, guest.CreateContext(1));
    }

    [Fact]
    public void What_is_in_a_renderer_is_not_moved()
    {
        using GpuGuest guest = Make(RendererPatience.Default);
        VfioMigration migration = guest.Function.Migration;
        Assert.Equal(OK, guest.Create2D(1, Side, Side));
        Assert.Equal(OK, guest.CreateContext(1));
        Assert.Equal(Errno.EBUSY, migration.SetDeviceState(VfioDeviceState.VFIO_DEVICE_STATE_STOP_COPY));
        Assert.Equal(Errno.EBUSY, migration.SetDeviceState(VfioDeviceState.VFIO_DEVICE_STATE_PRE_COPY));
        Assert.Equal(VfioDeviceState.VFIO_DEVICE_STATE_RUNNING, migration.DeviceState);
        Assert.Equal(OK, guest.Create3D(2, Side, Side));
        Assert.Equal(OK, guest.DestroyContext(1));
        Assert.Equal(Errno.EBUSY, migration.SetDeviceState(VfioDeviceState.VFIO_DEVICE_STATE_STOP_COPY));
        Assert.Equal(OK, guest.Unref(2));
        Assert.Equal(Errno.None, migration.SetDeviceState(VfioDeviceState.VFIO_DEVICE_STATE_STOP_COPY));
    }

    [Fact]
    public void A_successor_shows_the_screen_has_the_resources_and_gives_back_what_waited_but_no_context()
    {
        using var file = new CheckpointFile(8 << 20);
        using GpuGuest first = Make(RendererPatience.Default);
        file.Keep(first.Function);
        new Random(5).NextBytes(first.Ram(GpuGuest.PictureOffset, Bytes));
        Assert.Equal(OK, first.CreateContext(1));
        Assert.Equal(OK, first.Create3D(1, Side, Side));
        Assert.Equal(OK, first.Attach(1, Backing(GpuGuest.PictureOffset, Bytes)));
        Assert.Equal(OK, first.Transfer3D(1, 0, 0, Side, Side));
        Assert.Equal(OK, first.SetScanout(0, 1, R(4, 2, 40, 50)));
        Assert.Equal(OK, first.Flush(1, R(0, 0, Side, Side)));
        byte[] uuid = StateTests.Uuid(first, 1);
        ulong used = first.Device.VideoMemoryUsed;
        int answered = first.Answered;
        ushort fenced = first.PostFence(0, fence: 77);
        Assert.Equal(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, first.GetDisplayInfo());
        answered++;
        _renderer.StandStill();
        _ = first.PostFence(1, fence: 78);
        _renderer.AwaitStand();
        byte[] killed = file.Copy(first.Function);
        _renderer.GoOn();
        CheckpointFile.Kill(first.Function);
        file.Restore(killed);

        var another = new FakeRenderer3D();
        using var second = new GpuGuest(first, renderer3D: () => another);
        file.Keep(second.Function);
        Assert.True(second.Function.TryRestore(out string? why), why);
        second.Kick();

        // The one with the fence is back, and the one that the renderer was at is done anew: its context is gone.
        second.Await(answered + 2);
        Assert.Equal(fenced, second.AnsweredHead(answered));
        Assert.Equal((OK, 77UL), (second.ResponseAt(0).Type, second.ResponseAt(0).FenceId));
        Assert.Equal((VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID, 78UL), (second.ResponseAt(1).Type, second.ResponseAt(1).FenceId));
        Assert.Equal(["CreateResource 1", "AttachBacking 1", "Transfer 0 1", "ReadPixels 1 4 2 40 50"], another.Calls);
        StateTests.AssertShowsRam(second, 0, GpuGuest.PictureOffset, new Rect(4, 2, 40, 50));
        Assert.Equal(uuid, StateTests.Uuid(second, 1));
        Assert.Equal(used - ContextCost, second.Device.VideoMemoryUsed);
        Assert.Equal(OK, second.CreateContext(1));
        Assert.Equal(OK, second.Submit(1, 1, 0x00112233));
        Assert.Equal(OK, second.Flush(1, R(0, 0, Side, Side)));
        Assert.Equal(0x112233u, BitConverter.ToUInt32(second.Head.Capture(false)!.Pixels.Span) & 0xffffff);
        Assert.Equal(OK, second.Unref(1));
    }

    [Fact]
    public void A_renderer_that_throws_leaves_a_device_that_a_reset_brings_back()
    {
        using GpuGuest guest = Make(RendererPatience.Default);
        Assert.Equal(OK, guest.CreateContext(1));
        _renderer.Failure = new InvalidOperationException("broken");
        _ = guest.PostFence(0, fence: 1);
        guest.AwaitNeedsReset();
        _renderer.Failure = null;
        guest.Start(RenderingCommands.Features);
        Assert.Equal(OK, guest.CreateContext(1));
        Assert.Equal(OK, guest.Submit(1, 0, 0));
    }

    [Fact]
    public void A_host_that_lacks_a_renderer_makes_no_device()
    {
        ArgumentException refused = Assert.Throws<ArgumentException>(() => new GpuGuest(renderer3D: () => throw new ArgumentException("no VirGL")));
        Assert.Equal("no VirGL", refused.Message);
    }

    public void Dispose()
    {
        _renderer.GoOn();
        Assert.Equal(0, _renderer.Strangers);
    }

    // Its renderer stands still in a call, and points into memory of its guest.
    private GpuGuest MakeStanding()
    {
        GpuGuest guest = Make(s_short);
        Assert.Equal(OK, guest.CreateContext(1));
        Assert.Equal(OK, guest.Create3D(1, Side, Side));
        Assert.Equal(OK, guest.Attach(1, Backing(GpuGuest.PictureOffset, Bytes)));
        _renderer.StandStill();
        _ = guest.PostFence(0, fence: 1);
        _renderer.AwaitStand();
        return guest;
    }

    private GpuGuest Make(RendererPatience patience) => new(features: RenderingCommands.Features, renderer3D: () => _renderer, patience: patience);
}
