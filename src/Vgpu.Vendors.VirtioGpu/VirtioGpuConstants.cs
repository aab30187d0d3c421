// Numbers of the virtio GPU device (virtio 1.2, 5.7; linux/virtio_gpu.h), in the specification's spelling.
using Vgpu.Screens;

namespace Vgpu.Vendors.VirtioGpu;

internal static class VirtioGpuConstants
{
    // Device type (virtio 1.2, chapter 5).
    internal const ushort VIRTIO_ID_GPU = 16;

    // Queues (5.7.2).
    internal const int CONTROLQ = 0;
    internal const int CURSORQ = 1;

    // Feature bits (5.7.3).
    internal const int VIRTIO_GPU_F_VIRGL = 0;
    internal const int VIRTIO_GPU_F_EDID = 1;
    internal const int VIRTIO_GPU_F_RESOURCE_UUID = 2;
    internal const int VIRTIO_GPU_F_RESOURCE_BLOB = 3;
    internal const int VIRTIO_GPU_F_CONTEXT_INIT = 4;

    // Configuration (5.7.4): le32 events_read, events_clear, num_scanouts, num_capsets.
    internal const uint VIRTIO_GPU_EVENT_DISPLAY = 1 << 0;

    // 2D commands (5.7.6.7).
    internal const uint VIRTIO_GPU_CMD_GET_DISPLAY_INFO = 0x0100;
    internal const uint VIRTIO_GPU_CMD_RESOURCE_CREATE_2D = 0x0101;
    internal const uint VIRTIO_GPU_CMD_RESOURCE_UNREF = 0x0102;
    internal const uint VIRTIO_GPU_CMD_SET_SCANOUT = 0x0103;
    internal const uint VIRTIO_GPU_CMD_RESOURCE_FLUSH = 0x0104;
    internal const uint VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D = 0x0105;
    internal const uint VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING = 0x0106;
    internal const uint VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING = 0x0107;
    internal const uint VIRTIO_GPU_CMD_GET_CAPSET_INFO = 0x0108;
    internal const uint VIRTIO_GPU_CMD_GET_CAPSET = 0x0109;
    internal const uint VIRTIO_GPU_CMD_GET_EDID = 0x010a;
    internal const uint VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID = 0x010b;
    internal const uint VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB = 0x010c;
    internal const uint VIRTIO_GPU_CMD_SET_SCANOUT_BLOB = 0x010d;

    // 3D commands (linux/virtio_gpu.h; virtio 1.2, 5.7.6.8).
    internal const uint VIRTIO_GPU_CMD_CTX_CREATE = 0x0200;
    internal const uint VIRTIO_GPU_CMD_CTX_DESTROY = 0x0201;
    internal const uint VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE = 0x0202;
    internal const uint VIRTIO_GPU_CMD_CTX_DETACH_RESOURCE = 0x0203;
    internal const uint VIRTIO_GPU_CMD_RESOURCE_CREATE_3D = 0x0204;
    internal const uint VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D = 0x0205;
    internal const uint VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D = 0x0206;
    internal const uint VIRTIO_GPU_CMD_SUBMIT_3D = 0x0207;

    // Cursor commands.
    internal const uint VIRTIO_GPU_CMD_UPDATE_CURSOR = 0x0300;
    internal const uint VIRTIO_GPU_CMD_MOVE_CURSOR = 0x0301;

    // Responses.
    internal const uint VIRTIO_GPU_RESP_OK_NODATA = 0x1100;
    internal const uint VIRTIO_GPU_RESP_OK_DISPLAY_INFO = 0x1101;
    internal const uint VIRTIO_GPU_RESP_OK_CAPSET_INFO = 0x1102;
    internal const uint VIRTIO_GPU_RESP_OK_CAPSET = 0x1103;
    internal const uint VIRTIO_GPU_RESP_OK_EDID = 0x1104;
    internal const uint VIRTIO_GPU_RESP_OK_RESOURCE_UUID = 0x1105;
    internal const uint VIRTIO_GPU_RESP_ERR_UNSPEC = 0x1200;
    internal const uint VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY = 0x1201;
    internal const uint VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID = 0x1202;
    internal const uint VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID = 0x1203;
    internal const uint VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID = 0x1204;
    internal const uint VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER = 0x1205;

    // Header flags.
    internal const uint VIRTIO_GPU_FLAG_FENCE = 1 << 0;
    internal const uint VIRTIO_GPU_FLAG_INFO_RING_IDX = 1 << 1;

    internal const int VIRTIO_GPU_MAX_SCANOUTS = 16;

    // Blobs.
    internal const uint VIRTIO_GPU_BLOB_MEM_GUEST = 1;
    internal const uint VIRTIO_GPU_BLOB_FLAG_USE_MAPPABLE = 1 << 0;
    internal const uint VIRTIO_GPU_BLOB_FLAG_USE_SHAREABLE = 1 << 1;

    // Contexts: the capset in context_init, and the length of a name.
    internal const uint VIRTIO_GPU_CONTEXT_INIT_CAPSET_ID_MASK = 0xff;
    internal const int DEBUG_NAME_LENGTH = 64;

    // What a 2D resource is to a renderer (Gallium's p_defines.h): a picture of two dimensions that can be drawn to and sampled,
    // and whose first row is the top one.
    internal const uint PIPE_TEXTURE_2D = 2;
    internal const uint PIPE_BIND_RENDER_TARGET = 1 << 1;
    internal const uint PIPE_BIND_SAMPLER_VIEW = 1 << 3;
    internal const uint VIRTIO_GPU_RESOURCE_FLAG_Y_0_TOP = 1 << 0;

    // The cursor's picture (5.7.6.10): always this size.
    internal const int CURSOR_SIZE = 64;

    /// <summary>All eight formats have 32-bit pixels.</summary>
    internal const int BytesPerPixel = Surface.BytesPerPixel;

    /// <summary>Resources that a guest may have; each can cost a map, and a process has about 65,000 (vm.max_map_count).</summary>
    internal const int MaxResources = 16_384;

    /// <summary>Entries of one backing list: 1 GiB in single pages, the largest square picture of 16,384 pixels.</summary>
    internal const int MaxBackingEntries = 262_144;

    /// <summary>Bytes of one SUBMIT_3D; Mesa's are 256 KiB at most.</summary>
    internal const int MaxCommands = 4 << 20;

    /// <summary>Bytes that a context counts for: what a renderer keeps for one before anything is drawn.</summary>
    internal const ulong ContextCost = 4 << 20;

    /// <summary>Pixels that a scanout may be wide or high.</summary>
    internal const int MaxScanoutSide = DisplayMode.MaxSize;
}
