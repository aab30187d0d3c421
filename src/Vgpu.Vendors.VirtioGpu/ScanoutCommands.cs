// SET_SCANOUT, SET_SCANOUT_BLOB and RESOURCE_FLUSH (virtio 1.2, 5.7.6.8): which resource is on which head, and what of it is new.
using System.Diagnostics.CodeAnalysis;
using Vgpu.Linux;
using Vgpu.Screens;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>The scanouts and their commands; each answers with a VIRTIO_GPU_RESP.</summary>
internal sealed partial class ScanoutCommands(ResourceTable resources, Scanout[] scanouts)
{
    internal uint SetScanout(in ControlCommand command)
    {
        if (!command.TryRead(out VirtioGpuSetScanout request))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        // A blob has no format of its own: it is shown by SET_SCANOUT_BLOB.
        if (!TryTarget(request.ScanoutId, request.ResourceId, out Scanout? scanout, out Resource2D? resource, out uint answer))
        {
            return answer;
        }

        return GuestRect.TryWithin(request.R, (uint)resource.Host.Width, (uint)resource.Host.Height, out Rect rect) && scanout.CanShow(rect)
            ? scanout.Show(resource, rect)
            : VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
    }

    internal uint SetScanoutBlob(in ControlCommand command)
    {
        if (!command.TryRead(out VirtioGpuSetScanoutBlob request))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        if (!TryTarget(request.ScanoutId, request.ResourceId, out Scanout? scanout, out GuestBlob? blob, out uint answer))
        {
            return answer;
        }

        if (!GuestFormat.TryParse(request.Format, out PixelFormat format)
            || !GuestRect.TryWithin(request.R, request.Width, request.Height, out Rect rect) || !scanout.CanShow(rect))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        // No overflow: y is below 2^31, the height below 2^15 and the stride below 2^32.
        ulong stride = request.Strides[0];
        ulong row = (ulong)rect.Width * BytesPerPixel;
        ulong first = request.Offsets[0] + ((ulong)rect.Y * stride) + ((ulong)rect.X * BytesPerPixel);
        ulong end = first + (((ulong)rect.Height - 1) * stride) + row;
        return (ulong)request.Width * BytesPerPixel > stride || end > blob.Size
            ? VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER
            : scanout.Show(blob, new BlobLayout(format, first, (uint)stride), rect);
    }

    /// <summary>Data path: allocates nothing.</summary>
    internal uint Flush(in ControlCommand command)
    {
        if (!command.TryRead(out VirtioGpuResourceFlush request))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        if (!resources.TryFind(request.ResourceId, out GpuResource? resource))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
        }

        Rect rect;
        if (resource is Resource2D picture)
        {
            if (!GuestRect.TryWithin(request.R, (uint)picture.Host.Width, (uint)picture.Host.Height, out rect))
            {
                return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
            }

            picture.Host.Flush(rect);
        }
        else
        {
            // A blob is as large as each scanout says: what lies outside of one is not its damage.
            rect = GuestRect.Clip(request.R);
        }

        Errno error = Errno.None;
        foreach (Scanout scanout in scanouts)
        {
            if (ReferenceEquals(scanout.Resource, resource))
            {
                Errno one = scanout.Flush(rect);
                error = error == Errno.None ? one : error;
            }
        }

        return ControlCommand.ResponseTo(error);
    }

    /// <summary>Whether any blob is shown that nothing was flushed of yet.</summary>
    internal bool IsStale
    {
        get
        {
            foreach (Scanout scanout in scanouts)
            {
                if (scanout.IsStale)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Takes a resource off every head that shows it.</summary>
    internal void Disable(GpuResource resource)
    {
        foreach (Scanout scanout in scanouts)
        {
            if (ReferenceEquals(scanout.Resource, resource))
            {
                scanout.Disable();
            }
        }
    }

    /// <summary>Blanks every head.</summary>
    internal void DisableAll()
    {
        foreach (Scanout scanout in scanouts)
        {
            scanout.Disable();
        }
    }

    /// <summary>The scanout and the resource of a command that joins them; otherwise the answer: resource 0 turns the scanout off.</summary>
    private bool TryTarget<T>(uint scanoutId, uint resourceId, [NotNullWhen(true)] out Scanout? scanout, [NotNullWhen(true)] out T? resource, out uint answer)
        where T : GpuResource
    {
        scanout = null;
        resource = null;
        if (scanoutId >= (uint)scanouts.Length)
        {
            answer = VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
            return false;
        }

        if (resourceId == 0)
        {
            scanouts[scanoutId].Disable();
            answer = VIRTIO_GPU_RESP_OK_NODATA;
            return false;
        }

        resource = resources.TryFind(resourceId, out GpuResource? found) ? found as T : null;
        scanout = scanouts[scanoutId];
        answer = resource is null ? VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID : VIRTIO_GPU_RESP_OK_NODATA;
        return resource is not null;
    }
}
