using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Gpus;

/// <summary>
/// The host GPU's seam: what a device model asks of whatever draws for it. One renderer serves one vGPU and is
/// called on that vGPU's worker thread with its device lock held.
/// </summary>
public interface IRenderer : IDisposable
{
    /// <summary>Name for the operator, for example <c>software</c>.</summary>
    string Name { get; }

    /// <summary>
    /// A 2D resource, pixels zero. Null where the host has no memory for it. The caller has checked the quota and that
    /// the size does not overflow.
    /// </summary>
    IRendererResource? CreateResource2D(PixelFormat format, int width, int height);
}

/// <summary>A host picture that guest memory is transferred to and that heads show.</summary>
public interface IRendererResource : IDisposable
{
    PixelFormat Format { get; }

    int Width { get; }

    int Height { get; }

    /// <summary>
    /// Copies <paramref name="rect"/> (within the resource) from the backing: its first pixel is at
    /// <paramref name="offset"/>, and rows there are Width pixels apart (TRANSFER_TO_HOST_2D, virtio 1.2, 5.7.6.8).
    /// EFAULT where the backing is not mapped; ERANGE where it is too short.
    /// </summary>
    Errno TransferFromGuest(DmaScatterList backing, Rect rect, ulong offset);

    /// <summary>The pixels as a surface that a head can show; the same object each time, owned by the resource.</summary>
    Surface Surface { get; }

    /// <summary>Makes <paramref name="rect"/> of the surface current after transfers or drawing.</summary>
    void Flush(Rect rect);
}
