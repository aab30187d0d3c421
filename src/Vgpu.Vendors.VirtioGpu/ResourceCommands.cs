// RESOURCE_CREATE_2D, RESOURCE_CREATE_BLOB, RESOURCE_UNREF and RESOURCE_ASSIGN_UUID (virtio 1.2, 5.7.6.8): a resource's life.
using System.Runtime.CompilerServices;
using Vgpu.Gpus;
using Vgpu.Screens;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>Makes, names and frees resources; each command answers with a VIRTIO_GPU_RESP.</summary>
internal sealed class ResourceCommands(
    ResourceTable resources, ScanoutCommands scanouts, BackingCommands backings, IRenderer renderer, Resource3DCommands? rendered)
{
    internal uint Create2D(in ControlCommand command)
    {
        if (!command.TryRead(out VirtioGpuResourceCreate2D request))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        if (request.ResourceId == 0 || resources.Contains(request.ResourceId))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
        }

        if (!GuestFormat.TryParse(request.Format, out PixelFormat format) || request.Width == 0 || request.Height == 0)
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        // Within these bounds the product is below 2^62.
        if (request.Width > int.MaxValue / BytesPerPixel || request.Height > int.MaxValue || resources.IsFull)
        {
            return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
        }

        ulong cost = VideoMemory.CostOf((ulong)request.Width * request.Height * BytesPerPixel);
        if (!resources.Memory.TryCharge(cost))
        {
            return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
        }

        if (renderer.CreateResource2D(format, (int)request.Width, (int)request.Height) is not { } host)
        {
            resources.Memory.Release(cost);
            return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
        }

        resources.Add(new Resource2D(request.ResourceId, cost, host));
        return VIRTIO_GPU_RESP_OK_NODATA;
    }

    /// <summary>Blobs of guest memory only: there is no context that could make any other.</summary>
    internal uint CreateBlob(in ControlCommand command)
    {
        if (!command.TryRead(out VirtioGpuResourceCreateBlob request))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        if (request.ResourceId == 0 || resources.Contains(request.ResourceId))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
        }

        if (request.BlobMem != VIRTIO_GPU_BLOB_MEM_GUEST || request.Size == 0
            || (request.BlobFlags & ~(VIRTIO_GPU_BLOB_FLAG_USE_MAPPABLE | VIRTIO_GPU_BLOB_FLAG_USE_SHAREABLE)) != 0)
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        ulong cost = VideoMemory.CostOf(0);
        if (resources.IsFull || !resources.Memory.TryCharge(cost))
        {
            return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
        }

        var blob = new GuestBlob(request.ResourceId, cost, request.Size);
        uint response = backings.Attach(command, blob, (uint)Unsafe.SizeOf<VirtioGpuResourceCreateBlob>(), request.NrEntries);
        if (response != VIRTIO_GPU_RESP_OK_NODATA)
        {
            resources.Memory.Release(cost);
            return response;
        }

        resources.Add(blob);
        return VIRTIO_GPU_RESP_OK_NODATA;
    }

    /// <summary>A resource that is shown is taken off its heads first.</summary>
    internal uint Unref(in ControlCommand command)
    {
        if (!command.TryRead(out VirtioGpuResourceOnly request))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        if (!resources.TryFind(request.ResourceId, out GpuResource? resource))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
        }

        if (resource is Resource3D one)
        {
            return rendered!.Unref(one);
        }

        scanouts.Disable(resource);
        resources.Remove(resource);
        return VIRTIO_GPU_RESP_OK_NODATA;
    }

    internal uint AssignUuid(in ControlCommand command)
    {
        if (!command.TryRead(out VirtioGpuResourceOnly request))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        if (!resources.TryFind(request.ResourceId, out GpuResource? resource))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
        }

        resource.Uuid ??= Guid.NewGuid();
        command.Respond(new VirtioGpuRespResourceUuid
        {
            Hdr = command.ResponseHeader(VIRTIO_GPU_RESP_OK_RESOURCE_UUID),
            Uuid = resource.Uuid.Value,
        });
        return ControlCommand.Answered;
    }
}
