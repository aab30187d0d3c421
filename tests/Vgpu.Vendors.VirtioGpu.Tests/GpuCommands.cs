// The commands as a driver says them, in one line each.
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu.Tests;

internal static class GpuCommands
{
    internal const uint OK = VIRTIO_GPU_RESP_OK_NODATA;
    internal const uint B8G8R8X8 = 2;

    internal static VirtioGpuRect R(uint x, uint y, uint width, uint height) => new() { X = x, Y = y, Width = width, Height = height };

    /// <summary>One entry over guest memory from an offset on.</summary>
    internal static VirtioGpuMemEntry[] Backing(ulong offset, uint length) => [new() { Addr = GpuGuest.RamIova + offset, Length = length }];

    internal static uint Create2D(this GpuGuest guest, uint id, uint width, uint height, uint format = B8G8R8X8) =>
        guest.Send(VIRTIO_GPU_CMD_RESOURCE_CREATE_2D, new VirtioGpuResourceCreate2D { ResourceId = id, Format = format, Width = width, Height = height });

    internal static uint Unref(this GpuGuest guest, uint id) =>
        guest.Send(VIRTIO_GPU_CMD_RESOURCE_UNREF, new VirtioGpuResourceOnly { ResourceId = id });

    internal static uint Attach(this GpuGuest guest, uint id, params ReadOnlySpan<VirtioGpuMemEntry> entries) =>
        guest.AttachCounted(id, (uint)entries.Length, entries);

    internal static uint AttachCounted(this GpuGuest guest, uint id, uint count, params ReadOnlySpan<VirtioGpuMemEntry> entries) =>
        guest.Send(VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING, new VirtioGpuResourceAttachBacking { ResourceId = id, NrEntries = count }, entries);

    internal static uint Detach(this GpuGuest guest, uint id) =>
        guest.Send(VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING, new VirtioGpuResourceOnly { ResourceId = id });

    internal static uint Transfer(this GpuGuest guest, uint id, VirtioGpuRect rect, ulong offset = 0) =>
        guest.Send(VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, new VirtioGpuTransferToHost2D { ResourceId = id, R = rect, Offset = offset });

    internal static uint Flush(this GpuGuest guest, uint id, VirtioGpuRect rect) =>
        guest.Send(VIRTIO_GPU_CMD_RESOURCE_FLUSH, new VirtioGpuResourceFlush { ResourceId = id, R = rect });

    internal static uint SetScanout(this GpuGuest guest, uint scanout, uint id, VirtioGpuRect rect) =>
        guest.Send(VIRTIO_GPU_CMD_SET_SCANOUT, new VirtioGpuSetScanout { ScanoutId = scanout, ResourceId = id, R = rect });

    internal static uint AssignUuid(this GpuGuest guest, uint id) =>
        guest.Send(VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID, new VirtioGpuResourceOnly { ResourceId = id });

    internal static uint GetDisplayInfo(this GpuGuest guest) => guest.Send(VIRTIO_GPU_CMD_GET_DISPLAY_INFO, default(VirtioGpuCtrlHdr));

    internal static uint GetEdid(this GpuGuest guest, uint scanout) =>
        guest.Send(VIRTIO_GPU_CMD_GET_EDID, new VirtioGpuCmdGetEdid { Scanout = scanout });

    internal static uint CreateBlob(
        this GpuGuest guest, uint id, ulong size, ReadOnlySpan<VirtioGpuMemEntry> entries, uint mem = 1, uint flags = 2, uint? count = null) =>
        guest.Send(
            VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB,
            new VirtioGpuResourceCreateBlob
            {
                ResourceId = id,
                BlobMem = mem,
                BlobFlags = flags,
                NrEntries = count ?? (uint)entries.Length,
                Size = size,
            },
            entries);

    internal static uint SetScanoutBlob(
        this GpuGuest guest, uint scanout, uint id, VirtioGpuRect rect, uint width, uint height, uint stride, uint offset = 0, uint format = B8G8R8X8)
    {
        var request = new VirtioGpuSetScanoutBlob { ScanoutId = scanout, ResourceId = id, R = rect, Width = width, Height = height, Format = format };
        request.Strides[0] = stride;
        request.Offsets[0] = offset;
        return guest.Send(VIRTIO_GPU_CMD_SET_SCANOUT_BLOB, request);
    }

    internal static uint UpdateCursor(this GpuGuest guest, uint scanout, uint id, int x, int y, uint hotX = 0, uint hotY = 0) =>
        guest.SendCursor(
            VIRTIO_GPU_CMD_UPDATE_CURSOR,
            new VirtioGpuUpdateCursor { ScanoutId = scanout, ResourceId = id, X = (uint)x, Y = (uint)y, HotX = hotX, HotY = hotY });

    internal static uint MoveCursor(this GpuGuest guest, uint scanout, int x, int y) =>
        guest.SendCursor(VIRTIO_GPU_CMD_MOVE_CURSOR, new VirtioGpuUpdateCursor { ScanoutId = scanout, X = (uint)x, Y = (uint)y });
}
