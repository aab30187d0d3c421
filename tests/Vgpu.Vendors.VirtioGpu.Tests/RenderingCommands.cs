// The 3D commands as a driver says them, in one line each.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu.Tests;

internal static class RenderingCommands
{
    /// <summary>All that a driver takes of a device that renders.</summary>
    internal const ulong Features = 0b10111;

    internal static uint CreateContext(this GpuGuest guest, uint context, uint capset = 2, string name = "glmark")
    {
        var request = new VirtioGpuCtxCreate { Hdr = { CtxId = context }, Nlen = (uint)name.Length, ContextInit = capset };
        System.Text.Encoding.ASCII.GetBytes(name, request.DebugName);
        return guest.Send(VIRTIO_GPU_CMD_CTX_CREATE, request);
    }

    internal static uint DestroyContext(this GpuGuest guest, uint context) =>
        guest.Send(VIRTIO_GPU_CMD_CTX_DESTROY, new VirtioGpuCtrlHdr { CtxId = context });

    internal static uint AttachResource(this GpuGuest guest, uint context, uint id) =>
        guest.Send(VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE, new VirtioGpuResourceOnly { Hdr = { CtxId = context }, ResourceId = id });

    internal static uint DetachResource(this GpuGuest guest, uint context, uint id) =>
        guest.Send(VIRTIO_GPU_CMD_CTX_DETACH_RESOURCE, new VirtioGpuResourceOnly { Hdr = { CtxId = context }, ResourceId = id });

    internal static uint Create3D(this GpuGuest guest, uint id, uint width, uint height, uint format = GpuCommands.B8G8R8X8) => guest.Send(
        VIRTIO_GPU_CMD_RESOURCE_CREATE_3D,
        new VirtioGpuResourceCreate3D
        {
            ResourceId = id,
            Target = PIPE_TEXTURE_2D,
            Format = format,
            Bind = PIPE_BIND_RENDER_TARGET | PIPE_BIND_SAMPLER_VIEW | (1 << 18),
            Width = width,
            Height = height,
            Depth = 1,
            ArraySize = 1,
        });

    internal static uint Transfer3D(this GpuGuest guest, uint id, uint x, uint y, uint width, uint height, ulong offset = 0, bool isFromHost = false, uint context = 0) => guest.Send(
        isFromHost ? VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D : VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D,
        new VirtioGpuTransferHost3D { Hdr = { CtxId = context }, ResourceId = id, Box = new VirtioGpuBox { X = x, Y = y, W = width, H = height, D = 1 }, Offset = offset });

    internal static uint Submit(this GpuGuest guest, uint context, params ReadOnlySpan<uint> words)
    {
        Span<byte> request = stackalloc byte[Unsafe.SizeOf<VirtioGpuCmdSubmit>() + (words.Length * 4)];
        var header = new VirtioGpuCmdSubmit { Hdr = { Type = VIRTIO_GPU_CMD_SUBMIT_3D, CtxId = context }, Size = (uint)words.Length * 4 };
        MemoryMarshal.Write(request, header);
        MemoryMarshal.AsBytes(words).CopyTo(request[Unsafe.SizeOf<VirtioGpuCmdSubmit>()..]);
        return guest.SendBytes(request);
    }

    /// <summary>An empty SUBMIT_3D with a fence, at a place of its own; a ring below 0: none. The head of its chain.</summary>
    internal static ushort PostFence(this GpuGuest guest, int place, ulong fence, uint context = 1, int ring = -1) => guest.PostAt(
        place,
        VIRTIO_GPU_CMD_SUBMIT_3D,
        new VirtioGpuCmdSubmit
        {
            Hdr =
            {
                CtxId = context,
                Flags = VIRTIO_GPU_FLAG_FENCE | (ring < 0 ? 0 : VIRTIO_GPU_FLAG_INFO_RING_IDX),
                FenceId = fence,
                RingIdx = (byte)Math.Max(ring, 0),
            },
        });
}
