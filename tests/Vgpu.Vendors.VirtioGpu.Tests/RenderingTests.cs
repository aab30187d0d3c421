// A guest that renders: what it is offered, contexts, pictures on heads, fences, and what it costs.
using Vgpu.Gpus;
using Vgpu.Linux;
using Vgpu.Screens;
using static Vgpu.Vendors.VirtioGpu.Tests.GpuCommands;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu.Tests;

public sealed class RenderingTests : IDisposable
{
    private const int Side = 64;
    private const int Bytes = Side * Side * 4;

    private readonly FakeRenderer3D _renderer = new();
    private readonly GpuGuest _guest;

    public RenderingTests() => _guest = new GpuGuest(heads: 2, features: RenderingCommands.Features, renderer3D: () => _renderer);

    [Fact]
    public void A_renderer_is_offered_with_its_capsets()
    {
        Assert.Equal(0b10011UL, _guest.Offered & 0b10011);
        Assert.Equal(2u, _guest.ReadConfig(3));
        Assert.Equal(VIRTIO_GPU_RESP_OK_CAPSET_INFO, _guest.Send(VIRTIO_GPU_CMD_GET_CAPSET_INFO, new VirtioGpuGetCapsetInfo { CapsetIndex = 1 }));
        VirtioGpuRespCapsetInfo info = _guest.ResponseAs<VirtioGpuRespCapsetInfo>();
        Assert.Equal((2u, 2u, 1380u), (info.CapsetId, info.CapsetMaxVersion, info.CapsetMaxSize));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER, _guest.Send(VIRTIO_GPU_CMD_GET_CAPSET_INFO, new VirtioGpuGetCapsetInfo { CapsetIndex = 2 }));
        Assert.Equal(VIRTIO_GPU_RESP_OK_CAPSET, _guest.Send(VIRTIO_GPU_CMD_GET_CAPSET, new VirtioGpuGetCapset { CapsetId = 2, CapsetVersion = 2 }));
        Assert.Equal(24u + 1380, _guest.ResponseLength);
        Assert.Equal(Enumerable.Repeat((byte)4, 1380), _guest.Response.Slice(24, 1380).ToArray());
        Assert.Equal(0xee, _guest.Response[24 + 1380]);
        Assert.Equal(VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER, _guest.Send(VIRTIO_GPU_CMD_GET_CAPSET, new VirtioGpuGetCapset { CapsetId = 4, CapsetVersion = 0 }));
        Assert.Equal(("renderer", 0), (_renderer.ThreadName, _renderer.Strangers));
    }

    [Fact]
    public void Without_one_nothing_of_it_is_there()
    {
        using var plain = new GpuGuest();
        Assert.Equal(0UL, plain.Offered & 0b10001);
        Assert.Equal(0u, plain.ReadConfig(3));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_UNSPEC, plain.CreateContext(1));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_UNSPEC, plain.Create3D(1, 8, 8));
    }

    [Fact]
    public void A_driver_that_does_not_take_it_has_a_plain_GPU()
    {
        _guest.Start(0b110);
        Assert.Equal(VIRTIO_GPU_RESP_ERR_UNSPEC, _guest.CreateContext(1));
        Assert.Equal(OK, _guest.Create2D(1, Side, Side));
        Assert.Equal(OK, _guest.Attach(1, Backing(GpuGuest.PictureOffset, Bytes)));
        new Random(1).NextBytes(_guest.Ram(GpuGuest.PictureOffset, Bytes));
        Assert.Equal(OK, _guest.Transfer(1, R(0, 0, Side, Side)));
        Assert.Equal(OK, _guest.SetScanout(0, 1, R(0, 0, Side, Side)));
        Assert.Equal(OK, _guest.Flush(1, R(0, 0, Side, Side)));
        StateTests.AssertShowsRam(_guest, 0, GpuGuest.PictureOffset, new Rect(0, 0, Side, Side));
        Assert.Empty(_renderer.Calls);
    }

    [Fact]
    public void Contexts_are_made_with_a_capset_and_used_by_their_numbers()
    {
        Assert.Equal(VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID, _guest.CreateContext(0));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER, _guest.CreateContext(1, capset: 4));
        Assert.Equal(OK, _guest.CreateContext(1, capset: 2, name: "weston"));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID, _guest.CreateContext(1));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID, _guest.Submit(2, 0, 0));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID, _guest.AttachResource(1, 7));
        Assert.Equal(OK, _guest.Create3D(7, 8, 8));
        Assert.Equal(OK, _guest.AttachResource(1, 7));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID, _guest.AttachResource(2, 7));
        Assert.Equal(OK, _guest.Submit(1, 7, 0x112233));
        Assert.Equal(OK, _guest.DetachResource(1, 7));
        Assert.Equal(OK, _guest.DestroyContext(1));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID, _guest.DestroyContext(1));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID, _guest.Submit(1, 0, 0));
        Assert.Equal(
            ["CreateContext 1 2 weston", "CreateResource 7", "AttachResource 1 7", "Submit 1 8", "DetachResource 1 7", "DestroyContext 1"], _renderer.Calls);
    }

    [Theory]
    [InlineData(3u, 12u)] // Not whole words.
    [InlineData(16u, 12u)] // Longer than what there is.
    [InlineData(0xffff_fffcu, 12u)]
    public void Commands_of_a_wrong_length_are_refused(uint size, uint there)
    {
        Assert.Equal(OK, _guest.CreateContext(1));
        var request = new byte[32 + there];
        System.Runtime.InteropServices.MemoryMarshal.Write(request, new VirtioGpuCmdSubmit { Hdr = { Type = VIRTIO_GPU_CMD_SUBMIT_3D, CtxId = 1 }, Size = size });
        Assert.Equal(VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER, _guest.SendBytes(request));
        Assert.Single(_renderer.Calls);
    }

    [Fact]
    public void What_is_rendered_is_shown_pixel_by_pixel_and_what_is_flushed_is_new()
    {
        var seen = new Seen();
        Assert.Equal(OK, _guest.CreateContext(1));
        Assert.Equal(OK, _guest.Create3D(1, Side, Side));
        Assert.Equal(OK, _guest.SetScanout(0, 1, R(8, 4, 40, 50)));
        using IDisposable observation = _guest.Head.Observe(seen);
        Assert.Equal(OK, _guest.Submit(1, 1, 0x00aabbcc));
        Assert.Equal(OK, _guest.Flush(1, R(0, 0, 1, 1)));
        Assert.Equal([new Rect(0, 0, 40, 50)], seen.Take()); // The first of a picture is all of it.
        Picture shown = _guest.Head.Capture(false)!;
        Assert.Equal((40, 50), (shown.Width, shown.Height));
        Assert.All(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, uint>(shown.Pixels.Span).ToArray(), pixel => Assert.Equal(0x00aabbccu, pixel & 0xffffff));

        Assert.Equal(OK, _guest.Submit(1, 1, 0x00010203));
        Assert.Equal(OK, _guest.Flush(1, R(10, 6, 5, 3)));
        Assert.Equal([new Rect(2, 2, 5, 3)], seen.Take());
        Assert.Contains("ReadPixels 1 10 6 5 3", _renderer.Calls);
        shown = _guest.Head.Capture(false)!;
        for (int y = 0; y < 50; y++)
        {
            for (int x = 0; x < 40; x++)
            {
                uint expected = x is >= 2 and < 7 && y is >= 2 and < 5 ? 0x00010203u : 0x00aabbccu;
                Assert.Equal(expected, BitConverter.ToUInt32(shown.Pixels.Span[(((y * 40) + x) * 4)..]) & 0xffffff);
            }
        }

        Assert.Equal(VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER, _guest.Flush(1, R(0, 0, Side + 1, 1)));
        Assert.Equal(OK, _guest.Unref(1));
        Assert.Null(_guest.Head.Capture(false));
    }

    [Fact]
    public void A_resource_has_what_was_transferred_and_gives_it_back()
    {
        const ulong Second = GpuGuest.PictureOffset + 0x10_0000;
        new Random(2).NextBytes(_guest.Ram(GpuGuest.PictureOffset, Bytes));
        Assert.Equal(OK, _guest.Create3D(1, Side, Side));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_UNSPEC, _guest.Transfer3D(1, 0, 0, Side, Side));
        Assert.Equal(OK, _guest.Attach(1, PictureTests.Scatter(_guest, Bytes, 1000)));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_UNSPEC, _guest.Attach(1, Backing(Second, Bytes)));
        Assert.Equal(OK, _guest.SetScanout(0, 1, R(0, 0, Side, Side)));
        Assert.Equal(OK, _guest.Transfer3D(1, 0, 0, Side, Side));
        Assert.Equal(OK, _guest.Flush(1, R(0, 0, Side, Side)));
        byte[] before = _guest.Head.Capture(false)!.Pixels.ToArray();
        Assert.Contains(before, value => value != 0);

        Assert.Equal(OK, _guest.Detach(1));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_UNSPEC, _guest.Detach(1));
        Assert.Equal(OK, _guest.Attach(1, Backing(Second, Bytes)));
        Assert.Equal(OK, _guest.Transfer3D(1, 0, 0, Side, Side, isFromHost: true));
        Assert.Equal(before.Where((_, i) => i % 4 != 3), _guest.Ram(Second, Bytes).ToArray().Where((_, i) => i % 4 != 3));

        // 2D's command on it is the renderer's too.
        _guest.Ram(Second, Bytes).Fill(0x21);
        Assert.Equal(OK, _guest.Transfer(1, R(4, 4, 8, 8), offset: ((4 * Side) + 4) * 4));
        Assert.Equal(OK, _guest.Flush(1, R(0, 0, Side, Side)));
        ReadOnlySpan<byte> after = _guest.Head.Capture(false)!.Pixels.Span;
        Assert.Equal(0x21, after[((4 * Side) + 4) * 4]);
        Assert.Equal(before[0], after[0]);
        Assert.Equal(VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID, _guest.Transfer3D(1, 0, 0, 1, 1, context: 9));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID, _guest.Transfer3D(2, 0, 0, 1, 1));
    }

    [Fact]
    public void A_plain_picture_is_ours_until_a_context_wants_it()
    {
        new Random(3).NextBytes(_guest.Ram(GpuGuest.PictureOffset, Bytes));
        Assert.Equal(OK, _guest.CreateContext(1));
        Assert.Equal(OK, _guest.Create2D(5, Side, Side));
        Assert.Equal(OK, _guest.Attach(5, Backing(GpuGuest.PictureOffset, Bytes)));
        Assert.Equal(OK, _guest.Transfer(5, R(0, 0, Side, Side)));
        Assert.Equal(OK, _guest.SetScanout(0, 5, R(0, 0, Side, Side)));
        Assert.Equal(OK, _guest.Flush(5, R(0, 0, Side, Side)));
        Assert.Single(_renderer.Calls);
        ulong used = _guest.Device.VideoMemoryUsed;

        Assert.Equal(OK, _guest.AttachResource(1, 5));
        Assert.Equal(["CreateResource 5", "AttachBacking 5", "Transfer 0 5", "AttachResource 1 5"], _renderer.Calls[1..]);
        Assert.Equal(used + VideoMemory.CostOf(Bytes), _guest.Device.VideoMemoryUsed); // The head's copy.
        Assert.Equal(OK, _guest.Submit(1, 5, 0x00445566));
        Assert.Equal(OK, _guest.Flush(5, R(0, 0, Side, Side)));
        Assert.Equal(0x445566u, BitConverter.ToUInt32(_guest.Head.Capture(false)!.Pixels.Span) & 0xffffff);
        Assert.Equal(OK, _guest.Transfer(5, R(0, 0, Side, Side)));
        Assert.Equal(OK, _guest.Flush(5, R(0, 0, Side, Side)));
        StateTests.AssertShowsRam(_guest, 0, GpuGuest.PictureOffset, new Rect(0, 0, Side, Side));
        Assert.Equal(OK, _guest.Unref(5));
        Assert.Equal(OK, _guest.DestroyContext(1));
        Assert.Equal(0UL, _guest.Device.VideoMemoryUsed);
    }

    [Fact]
    public void A_cursor_can_be_rendered()
    {
        Assert.Equal(OK, _guest.CreateContext(1));
        Assert.Equal(OK, _guest.Create3D(3, 64, 64, format: 1));
        Assert.Equal(OK, _guest.Submit(1, 3, 0xff102030));
        Assert.Equal(OK, _guest.UpdateCursor(1, 3, 20, 30, 4, 5));
        (CursorImage? image, int x, int y) = _guest.Screen.Heads[1].Cursor;
        Assert.Equal((24, 35, 4, 5), (x, y, image!.HotX, image.HotY));
        Assert.Equal(0xff102030u, BitConverter.ToUInt32(image.Pixels.Span));
        Assert.Equal(OK, _guest.MoveCursor(1, 0, 0));
        Assert.Equal(OK, _guest.Create3D(4, 32, 32));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER, _guest.UpdateCursor(1, 4, 0, 0));
    }

    [Fact]
    public void A_fence_is_answered_when_it_is_done_and_those_behind_it_after_it()
    {
        Assert.Equal(OK, _guest.CreateContext(1));
        Assert.Equal(OK, _guest.Create2D(1, 8, 8));
        int answered = _guest.Answered;
        ushort first = _guest.PostFence(0, fence: 100);
        ushort second = _guest.PostAt(
            1, VIRTIO_GPU_CMD_RESOURCE_FLUSH,
            new VirtioGpuResourceFlush { Hdr = { Flags = VIRTIO_GPU_FLAG_FENCE, FenceId = 101 }, ResourceId = 1, R = R(0, 0, 8, 8) });
        ushort plain = _guest.PostAt(2, VIRTIO_GPU_CMD_RESOURCE_FLUSH, new VirtioGpuResourceFlush { ResourceId = 1, R = R(0, 0, 8, 8) });
        _guest.Await(answered + 1);
        Assert.Equal(plain, _guest.AnsweredHead(answered));
        Assert.Equal(2, _renderer.Due.Length);
        Assert.Equal(VIRTIO_GPU_RESP_OK_NODATA, _guest.ResponseAt(2).Type);
        _renderer.Signal(0);
        _guest.Await(answered + 2);
        Assert.Equal(first, _guest.AnsweredHead(answered + 1));
        VirtioGpuCtrlHdr response = _guest.ResponseAt(0);
        Assert.Equal((OK, VIRTIO_GPU_FLAG_FENCE, 100UL, 1u), (response.Type, response.Flags, response.FenceId, response.CtxId));
        _renderer.Signal(0);
        _guest.Await(answered + 3);
        Assert.Equal(second, _guest.AnsweredHead(answered + 2));
    }

    [Fact]
    public void Rings_are_done_out_of_order_and_each_in_its_own()
    {
        Assert.Equal(OK, _guest.CreateContext(1));
        Assert.Equal(OK, _guest.CreateContext(2));
        int answered = _guest.Answered;
        ushort slow = _guest.PostFence(0, fence: 1, context: 1, ring: 1);
        ushort early = _guest.PostFence(1, fence: 2, context: 1, ring: 0);
        ushort late = _guest.PostFence(2, fence: 3, context: 1, ring: 0);
        ushort other = _guest.PostFence(3, fence: 4, context: 2, ring: 1);
        Assert.Equal(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, _guest.GetDisplayInfo());
        answered++;
        Assert.Equal(
            [(1u, 1u), (1u, 0u), (1u, 0u), (2u, 1u)], _renderer.Due.Select(fence => (fence.Context, fence.Ring)));
        _renderer.Signal(3);
        _guest.Await(answered + 1);
        Assert.Equal(other, _guest.AnsweredHead(answered));
        Assert.Equal((VIRTIO_GPU_FLAG_FENCE | VIRTIO_GPU_FLAG_INFO_RING_IDX, 4UL, (byte)1), (_guest.ResponseAt(3).Flags, _guest.ResponseAt(3).FenceId, _guest.ResponseAt(3).RingIdx));
        _renderer.Signal(2); // One answers for those before it on its ring.
        _guest.Await(answered + 3);
        Assert.Equal([early, late], [_guest.AnsweredHead(answered + 1), _guest.AnsweredHead(answered + 2)]);
        _renderer.Signal(0);
        _guest.Await(answered + 4);
        Assert.Equal(slow, _guest.AnsweredHead(answered + 3));
    }

    [Fact]
    public void Everything_counts_and_is_given_back()
    {
        ulong limit = _guest.Instance!.Usage.MemoryLimit;
        Assert.Equal(OK, _guest.CreateContext(1));
        Assert.Equal(ContextCost, _guest.Device.VideoMemoryUsed);
        Assert.Equal(OK, _guest.Create3D(1, Side, Side));
        ulong one = VideoMemory.CostOf(RendererFormat.BytesOf(Resource3D.Picture(B8G8R8X8, Side, Side)));
        Assert.Equal(ContextCost + one, _guest.Device.VideoMemoryUsed);
        Assert.Equal(OK, _guest.Attach(1, Backing(GpuGuest.PictureOffset, Bytes)));
        Assert.Equal(ContextCost + one + VideoMemory.CostOfBacking(1), _guest.Device.VideoMemoryUsed);
        Assert.Equal(VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY, _guest.Create3D(2, 16_384, 16_384));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY, _guest.Create3D(2, uint.MaxValue, uint.MaxValue));
        uint contexts = 1;
        while (_guest.CreateContext(contexts + 1) == OK)
        {
            contexts++;
        }

        Assert.Equal(VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY, _guest.CreateContext(contexts + 1));
        Assert.Equal((limit - one - VideoMemory.CostOfBacking(1)) / ContextCost, contexts);
        _renderer.Refusal = Errno.ENOMEM;
        Assert.Equal(VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY, _guest.Create3D(3, 8, 8));
        Assert.Equal(OK, _guest.DestroyContext(contexts));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY, _guest.CreateContext(contexts));
        _renderer.Refusal = Errno.None;
        Assert.Equal(((contexts - 1) * ContextCost) + one + VideoMemory.CostOfBacking(1), _guest.Device.VideoMemoryUsed);
        Assert.Equal(OK, _guest.Detach(1));
        Assert.Equal(OK, _guest.Unref(1));
        Assert.Equal((contexts - 1) * ContextCost, _guest.Device.VideoMemoryUsed);
        _guest.Start(RenderingCommands.Features);
        Assert.Equal(0UL, _guest.Device.VideoMemoryUsed);
        Assert.Equal(1, _renderer.Calls.Count(call => call == "Reset"));
        Assert.Equal(OK, _guest.CreateContext(1));
    }

    public void Dispose()
    {
        _guest.Dispose();
        Assert.True(_renderer.IsDisposed);
        Assert.Equal(0, _renderer.Strangers);
    }

    private sealed class Seen : IHeadObserver
    {
        private readonly List<Rect> _rects = [];

        public Rect[] Take()
        {
            lock (_rects)
            {
                Rect[] seen = [.. _rects];
                _rects.Clear();
                return seen;
            }
        }

        public void SurfaceChanged(Head head)
        {
        }

        public void Damaged(Head head, Rect rect)
        {
            lock (_rects)
            {
                _rects.Add(rect);
            }
        }

        public void CursorChanged(Head head)
        {
        }
    }
}
