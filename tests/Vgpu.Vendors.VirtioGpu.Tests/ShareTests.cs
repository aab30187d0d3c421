// Turns on the host's GPU: what waits for one, what goes on meanwhile, and by which fences work is measured.
using static Vgpu.Vendors.VirtioGpu.Tests.GpuCommands;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu.Tests;

public sealed class ShareTests : IDisposable
{
    private const int Side = 256;
    private const int Bytes = Side * Side * 4;

    private readonly FakeRenderer3D _renderer = new();
    private readonly FakeGate _gate = new();
    private readonly GpuGuest _guest;

    public ShareTests()
    {
        _guest = new GpuGuest(features: RenderingCommands.Features, renderer3D: () => _renderer, share: () => _gate);
        Assert.Equal(OK, _guest.CreateContext(1));
        Assert.Equal(OK, _guest.Create3D(1, Side, Side));
    }

    [Fact]
    public void Work_waits_for_its_turn_and_comes_in_the_order_in_which_it_was_given()
    {
        _gate.IsOpen = false;
        int answered = _guest.Answered;
        ushort first = _guest.PostFence(0, fence: 1);
        ushort second = _guest.PostAt(1, VIRTIO_GPU_CMD_CTX_DESTROY, new VirtioGpuCtrlHdr { CtxId = 1 });
        int asked = _gate.Asked;
        _guest.Kick();
        _gate.Await(gate => gate.Asked > asked); // What comes behind it does not pass it.
        Assert.DoesNotContain("Submit 1 0", _renderer.Calls);
        Assert.Equal((answered, 0), (_guest.Answered, _gate.Submitted));

        _gate.IsOpen = true;
        _guest.Kick();
        _guest.Await(answered + 1);
        _renderer.Signal(0);
        _guest.Await(answered + 2);
        Assert.Equal(["Submit 1 0", "CreateFence 0 0", "DestroyContext 1"], _renderer.Calls[^3..]);
        Assert.Equal([second, first], [_guest.AnsweredHead(answered), _guest.AnsweredHead(answered + 1)]);
        _gate.Await(gate => gate.InFlight == 0);
        Assert.Equal((1, 1), (_gate.Submitted, _gate.Finished));
    }

    [Fact]
    public void Who_waits_holds_nobody_up_memory_is_let_go_of_and_the_cursor_moves()
    {
        Assert.Equal(OK, _guest.Attach(1, Backing(GpuGuest.PictureOffset, Bytes)));
        _gate.IsOpen = false;
        int answered = _guest.Answered;
        _ = _guest.PostAt(0, VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D, new VirtioGpuTransferHost3D { ResourceId = 1, Box = new VirtioGpuBox { W = Side, H = Side, D = 1 } });
        _gate.Await(gate => gate.Asked > 0);
        Assert.Equal(OK, _guest.MoveCursor(0, 3, 4));
        _guest.Unmap();
        Assert.Equal("DetachBacking 1", _renderer.Calls[^1]);
        _guest.Map();
        _gate.IsOpen = true;
        _guest.Kick();
        _guest.Await(answered + 1);
        Assert.Equal(OK, _guest.ResponseAt(0).Type);
        Assert.Equal(["DetachBacking 1", "AttachBacking 1", "Transfer 0 1", "CreateFence 0 0"], _renderer.Calls[^4..]);
    }

    [Fact]
    public void A_reset_ends_the_wait_and_what_waited_is_never_done()
    {
        _ = _guest.PostFence(0, fence: 1);
        _gate.Await(gate => gate.Submitted == 1);
        _gate.IsOpen = false;
        int asked = _gate.Asked;
        _ = _guest.PostFence(1, fence: 2);
        _gate.Await(gate => gate.Asked > asked);
        _guest.Start(RenderingCommands.Features);
        Assert.Equal((1, 0), (_gate.Resets, _gate.InFlight));
        Assert.Single(_renderer.Calls, "Submit 1 0");

        _gate.IsOpen = true;
        Assert.Equal(OK, _guest.CreateContext(1));
        Assert.Equal(OK, _guest.Submit(1, 7, 7));
        Assert.Equal(1, _gate.InFlight);
        _renderer.Signal(0);
        _gate.Await(gate => gate.InFlight == 0);
    }

    [Fact]
    public void A_guest_s_fence_is_what_its_work_is_measured_by_and_work_without_gets_one()
    {
        _ = _guest.PostFence(0, fence: 5);
        _gate.Await(gate => gate.Submitted == 1);
        Assert.Equal(OK, _guest.Submit(1, 7, 7));
        Assert.Equal(OK, _guest.Submit(1, 7, 7));
        Assert.Equal((3, 0), (_gate.Submitted, _gate.Finished));
        Assert.Equal(3, _renderer.Due.Length);
        for (int done = 1; done <= 3; done++)
        {
            _renderer.Signal(0);
            _gate.Await(gate => gate.Finished == done);
        }

        Assert.Equal(0, _gate.InFlight);
    }

    [Fact]
    public void Fences_of_different_rings_end_their_own_work_alone()
    {
        _ = _guest.PostFence(0, fence: 1, ring: 0);
        _ = _guest.PostFence(1, fence: 2, ring: 1);
        _gate.Await(gate => gate.Submitted == 2);
        Assert.Equal(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, _guest.GetDisplayInfo());
        _renderer.Signal(1);
        _gate.Await(gate => gate.Finished == 1);
        _renderer.Signal(0);
        _gate.Await(gate => gate.Finished == 2);
    }

    [Fact]
    public void Where_nobody_takes_turns_one_fence_at_a_time_measures_all_that_has_none()
    {
        _gate.TakesTurns = false;
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(OK, _guest.Submit(1, 7, 7));
        }

        Assert.Single(_renderer.Due);
        Assert.Equal((1, 0), (_gate.Submitted, _gate.Finished));
        _renderer.Signal(0);
        _gate.Await(gate => gate.Submitted == 2); // What came after it is measured by another.
        Assert.Single(_renderer.Due);
        _renderer.Signal(0);
        _gate.Await(gate => gate.Finished == 2);
        Assert.Empty(_renderer.Due);
        Assert.Equal((10, 2), (_renderer.Calls.Count(call => call == "Submit 1 8"), _renderer.Calls.Count(call => call == "CreateFence 0 0")));
    }

    [Fact]
    public void Guests_that_fence_all_of_it_cost_no_fence_more()
    {
        _gate.TakesTurns = false;
        int answered = _guest.Answered;
        for (int i = 0; i < 10; i++)
        {
            _ = _guest.PostFence(i, fence: (ulong)i + 1);
        }

        _gate.Await(gate => gate.Submitted == 10);
        Assert.Equal(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, _guest.GetDisplayInfo());
        Assert.Equal(10, _renderer.Calls.Count(call => call.StartsWith("CreateFence", StringComparison.Ordinal)));
        _renderer.Signal(9); // All before it are done too.
        _guest.Await(answered + 11);
        _gate.Await(gate => gate.Finished == 10);
    }

    [Fact]
    public void Small_transfers_and_all_that_draws_nothing_pass_no_gate()
    {
        Assert.Equal(OK, _guest.Attach(1, Backing(GpuGuest.PictureOffset, Bytes)));
        _gate.IsOpen = false;
        Assert.Equal(OK, _guest.Transfer3D(1, 0, 0, Side, Side - 1));
        Assert.Equal(OK, _guest.SetScanout(0, 1, R(0, 0, Side, Side)));
        Assert.Equal(OK, _guest.Flush(1, R(0, 0, Side, Side)));
        Assert.Equal(0, _gate.Asked);
    }

    [Fact]
    public void Work_that_is_refused_or_fails_is_no_longer_in_flight()
    {
        Assert.Equal(VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID, _guest.Submit(9, 7, 7));
        Assert.Equal(0, _gate.Asked);
        _renderer.Failure = new InvalidOperationException("it is broken");
        _guest.Post(VIRTIO_GPU_CMD_SUBMIT_3D, new VirtioGpuCmdSubmit { Hdr = { CtxId = 1 } });
        _guest.AwaitNeedsReset();
        Assert.Equal((1, 1), (_gate.Submitted, _gate.Finished));
    }

    [Fact]
    public void The_gate_is_the_renderer_thread_s_and_ends_with_it()
    {
        _guest.Dispose();
        Assert.True(_gate.IsDisposed);
        Assert.True(_renderer.IsDisposed);
    }

    public void Dispose() => _guest.Dispose();
}
