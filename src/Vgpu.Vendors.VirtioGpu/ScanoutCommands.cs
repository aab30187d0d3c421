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
        if (!TryTarget(request.ScanoutId, request.ResourceId, out Scanout? scanout, out GpuResource? resource, out uint answer))
        {
            return answer;
        }

        (uint width, uint height) = resource switch
        {
            Resource2D picture => ((uint)picture.Host.Width, (uint)picture.Host.Height),
            Resource3D rendered => (rendered.Description.Width, rendered.Description.Height),
            _ => default,
        };
        if (width == 0)
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
        }

        if (!GuestRect.TryWithin(request.R, width, height, out Rect rect) || !scanout.CanShow(rect))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        return resource is not Resource2D shown ? scanout.Show(resource, Scanout.Rendered, rect)
            : MayPut(scanout, shown, rect, out long again) ? scanout.Show(shown, rect)
            : Rendering!.LeaveUntil(again);
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

        if (resource is Resource3D rendered)
        {
            return Flush(rendered, request.R);
        }

        Rect rect;
        if (resource is Resource2D picture)
        {
            if (!GuestRect.TryWithin(request.R, (uint)picture.Host.Width, (uint)picture.Host.Height, out rect))
            {
                return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
            }

            if (!MayFlush(picture, rect, out long again))
            {
                return Rendering!.LeaveUntil(again);
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

    // The renderer's thread copies what each head shows of it; the head hears of it then.
    private uint Flush(Resource3D resource, in VirtioGpuRect request)
    {
        if (!GuestRect.TryWithin(request, resource.Description.Width, resource.Description.Height, out Rect rect))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        if (!MayFlush(resource, rect, out long again))
        {
            return Rendering!.LeaveUntil(again);
        }

        uint answer = Rendering!.Call.Begin(RendererCallKind.Flush, resource: resource.Id);
        foreach (Scanout scanout in scanouts)
        {
            if (ReferenceEquals(scanout.Resource, resource) && scanout.TryLend(rect, out FlushTarget target))
            {
                Rendering.Call.Add(target);
            }
        }

        return Rendering.Call.Targets.IsEmpty ? VIRTIO_GPU_RESP_OK_NODATA : answer;
    }

    /// <summary>Whose thread it is that shows; null: there is no renderer.</summary>
    internal Rendering? Rendering { get; set; }

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

    /// <summary>Heads that show a picture show what the renderer has of it; false: the quota has no room for a copy, and a head shows nothing.</summary>
    internal bool Replace(Resource2D picture, Resource3D made)
    {
        bool fits = true;
        foreach (Scanout scanout in scanouts)
        {
            if (!ReferenceEquals(scanout.Resource, picture))
            {
                continue;
            }

            if (scanout.Show(made, Scanout.Rendered, scanout.Rect) == VIRTIO_GPU_RESP_OK_NODATA)
            {
                scanout.IsToRecover = true;
            }
            else
            {
                scanout.Disable();
                fits = false;
            }
        }

        return fits;
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
