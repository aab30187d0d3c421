// A virtio GPU that survives its process, and what is changed while it runs.
using Vgpu.Gpus;
using Vgpu.Screens;
using Vgpu.Virtio;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu;

public sealed partial class VirtioGpuDevice : IVgpuModel
{
    // What a checkpoint left out and is to be brought back.
    private Recovery? _recovery;

    ulong IVgpuModel.MemoryUsed => VideoMemoryUsed;

    ulong IVgpuModel.MemoryLimit => _resources.Memory.Limit;

    /// <summary>The pixels of every resource that has a backing, and what heads show of them.</summary>
    public override RecoveryStep Recover()
    {
        RecoveryStep step = _recovery?.Next() ?? RecoveryStep.Done;
        if (step == RecoveryStep.Done)
        {
            _recovery = null;
            _rendering?.ReleaseHeld();
        }

        return step;
    }

    void IVgpuModel.SetVideoMemory(ulong bytes)
    {
        using (Transport.Lock.EnterScope())
        {
            CheckRoom(_heads[0].PreferredMode, _heads.Count, bytes);
            if (bytes > _resources.Memory.Limit && CheckpointLengthAt(Math.Max(bytes, _resources.Memory.Ceiling)) > Transport.CheckpointRoom)
            {
                throw new ArgumentException(
                    $"video memory of {bytes} bytes: the checkpoint that this vGPU was started with has no room for it; stop it and start it again");
            }

            _resources.Memory.Limit = bytes;
        }
    }

    void IVgpuModel.SetFrameLimit(int framesPerSecond)
    {
        if (_rendering is null)
        {
            throw new ArgumentException("its guest does not render on the host: it has no frame limiter");
        }

        using (Transport.Lock.EnterScope())
        {
            _scanouts.SetFrameLimit(framesPerSecond);
        }
    }

    void IVgpuModel.CheckMode(DisplayMode mode) => CheckMode(mode, _heads.Count, _heads[0].MaxMode, _resources.Memory.Limit);

    /// <summary>Throws <see cref="ArgumentException"/> with a message for the operator.</summary>
    internal static void CheckMode(DisplayMode mode, int heads, DisplayMode max, ulong videoMemory)
    {
        VgpuMode.Check(mode, max);
        CheckRoom(mode, heads, videoMemory);
    }

    private static void CheckRoom(DisplayMode mode, int heads, ulong videoMemory)
    {
        ulong picture = (ulong)mode.Width * (ulong)mode.Height * BytesPerPixel;
        ulong needed = (VideoMemory.CostOf(picture) * (ulong)heads) + (1UL << 20);
        if (videoMemory < needed)
        {
            throw new ArgumentException(
                $"video memory of {videoMemory} bytes: {heads} heads of {mode.Width}x{mode.Height} need at least {needed}");
        }
    }

    // Commands that leave the device as it was, but for pixels.
    private bool ChangesState(uint command) => command switch
    {
        VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D or VIRTIO_GPU_CMD_GET_DISPLAY_INFO or VIRTIO_GPU_CMD_GET_EDID
            or VIRTIO_GPU_CMD_GET_CAPSET_INFO or VIRTIO_GPU_CMD_GET_CAPSET
            or VIRTIO_GPU_CMD_SUBMIT_3D or VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D or VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D
            or VIRTIO_GPU_CMD_CTX_CREATE or VIRTIO_GPU_CMD_CTX_DESTROY
            or VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE or VIRTIO_GPU_CMD_CTX_DETACH_RESOURCE => false,
        VIRTIO_GPU_CMD_RESOURCE_FLUSH => _scanouts.IsStale,
        _ => true,
    };
}
