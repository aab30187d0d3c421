// RESOURCE_CREATE_3D and the TRANSFER_*_3D (linux/virtio_gpu.h; virtio 1.2, 5.7.6.8), and 2D's commands on such resources.
using Vgpu.Gpus;
using Vgpu.Screens;
using Vgpu.Vfio.Iommu;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>Each command answers with a VIRTIO_GPU_RESP, or says what the renderer is to do. Device lock held.</summary>
internal sealed class Resource3DCommands(Rendering rendering, ResourceTable resources)
{
    internal uint Create(in ControlCommand command)
    {
        if (!command.TryRead(out VirtioGpuResourceCreate3D request))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        if (request.ResourceId == 0 || resources.Contains(request.ResourceId))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
        }

        var description = new RendererResource3D
        {
            Target = request.Target,
            Format = request.Format,
            Bind = request.Bind,
            Width = request.Width,
            Height = request.Height,
            Depth = request.Depth,
            ArraySize = request.ArraySize,
            LastLevel = request.LastLevel,
            Samples = request.NrSamples,
            Flags = request.Flags,
        };
        ulong cost = VideoMemory.CostOf(RendererFormat.BytesOf(description));
        if (resources.IsFull || !resources.Memory.TryCharge(cost))
        {
            return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
        }

        var made = new Resource3D(request.ResourceId, cost, description) { IsProvisional = true };
        resources.Add(made);
        uint answer = rendering.Call.Begin(RendererCallKind.CreateResource, resource: request.ResourceId);
        rendering.Call.Object = made;
        return answer;
    }

    /// <summary>Data path: allocates nothing.</summary>
    internal uint Transfer(in ControlCommand command, bool isFromHost)
    {
        if (!command.TryRead(out VirtioGpuTransferHost3D request))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        // Those of ours have commands of their own.
        if (!resources.TryFind(request.ResourceId, out GpuResource? found) || found is not Resource3D resource)
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
        }

        if (command.Hdr.CtxId != 0 && !rendering.Contexts.Contains(command.Hdr.CtxId))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID;
        }

        return Begin(command, resource, new RendererTransfer3D
        {
            IsFromHost = isFromHost,
            X = request.Box.X,
            Y = request.Box.Y,
            Z = request.Box.Z,
            Width = request.Box.W,
            Height = request.Box.H,
            Depth = request.Box.D,
            Offset = request.Offset,
            Level = request.Level,
            Stride = request.Stride,
            LayerStride = request.LayerStride,
        });
    }

    /// <summary>TRANSFER_TO_HOST_2D of a picture that is the renderer's. Data path: allocates nothing.</summary>
    internal uint Transfer(in ControlCommand command, Resource3D resource, in VirtioGpuTransferToHost2D request)
    {
        RendererResource3D picture = resource.Description;
        if (!GuestRect.TryWithin(request.R, picture.Width, picture.Height, out Rect rect))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        return rect.IsEmpty ? VIRTIO_GPU_RESP_OK_NODATA : Begin(command, resource, Picture(rect, request.Offset));
    }

    /// <summary>A rectangle of a resource's first level, with rows in the backing as long as the resource is wide.</summary>
    internal static RendererTransfer3D Picture(Rect rect, ulong offset) => new()
    {
        IsFromHost = false,
        X = (uint)rect.X,
        Y = (uint)rect.Y,
        Width = (uint)rect.Width,
        Height = (uint)rect.Height,
        Depth = 1,
        Offset = offset,
    };

    internal uint Unref(Resource3D resource)
    {
        uint answer = rendering.Call.Begin(RendererCallKind.DestroyResource, resource: resource.Id);
        rendering.Call.Object = resource;
        return answer;
    }

    /// <summary>The backing is charged and translated already.</summary>
    internal uint AttachBacking(Resource3D resource)
    {
        resource.IsBackingProvisional = true;
        resource.IsBacked = true;
        uint answer = rendering.Call.Begin(RendererCallKind.AttachBacking, resource: resource.Id);
        rendering.Call.Object = resource;
        rendering.Call.SetRuns(resource.Backing!.RunSpan);
        return answer;
    }

    internal uint DetachBacking(Resource3D resource)
    {
        uint answer = rendering.Call.Begin(RendererCallKind.DetachBacking, resource: resource.Id);
        rendering.Call.Object = resource;
        return answer;
    }

    /// <summary>How the renderer may touch a backing: it also writes there.</summary>
    internal static IommuProtection Protection => IommuProtection.IOMMU_READ | IommuProtection.IOMMU_WRITE;

    private uint Begin(in ControlCommand command, Resource3D resource, in RendererTransfer3D transfer)
    {
        if (resource.Backing is null)
        {
            return VIRTIO_GPU_RESP_ERR_UNSPEC;
        }

        if (!resource.IsBacked)
        {
            // It was unmapped, and may be mapped again by now.
            resource.Due |= RendererDue.Back;
            rendering.Await(resource);
            return ControlCommand.Unmapped;
        }

        if (Rendering.IsCostly(transfer) && !rendering.MayRun((command.Hdr.Flags & VIRTIO_GPU_FLAG_FENCE) != 0, out long again))
        {
            return rendering.LeaveUntil(again);
        }

        uint context = command.Hdr.Type == VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D ? 0 : command.Hdr.CtxId;
        uint answer = rendering.Call.Begin(RendererCallKind.Transfer, context, resource.Id);
        rendering.Call.TransferBox = transfer;
        return answer;
    }
}
