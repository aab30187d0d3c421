// The host GPU's seam: what a device model asks of whatever draws for it.
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Gpus;

/// <summary>
/// The host GPU behind one vGPU. Called by one thread at a time, with that vGPU's device lock held: its worker
/// thread, or the transport's on reset.
/// </summary>
public interface IRenderer : IDisposable
{
    /// <summary>Name for the operator, for example <c>software</c>.</summary>
    string Name { get; }

    /// <summary>
    /// A 2D resource, pixels zero. Null where the host has no memory for it. The caller has checked the quota, that
    /// both sides are at least 1 and that <c>4 * width</c> fits an int.
    /// </summary>
    IRendererResource? CreateResource2D(PixelFormat format, int width, int height);
}

/// <summary>
/// A host picture that guest memory is transferred to and that heads show. Disposing frees it; by then no head shows
/// its surface.
/// </summary>
public interface IRendererResource : IDisposable
{
    PixelFormat Format { get; }

    /// <summary>Pixels.</summary>
    int Width { get; }

    /// <summary>Pixels.</summary>
    int Height { get; }

    /// <summary>
    /// Copies <paramref name="rect"/> (within the resource) from the backing: its first pixel is at
    /// <paramref name="offset"/>, and rows there are Width pixels apart (TRANSFER_TO_HOST_2D, virtio 1.2, 5.7.6.8).
    /// EFAULT or EPERM where the backing is not mapped so, EINVAL where it is too short: nothing is copied then.
    /// Allocates nothing.
    /// </summary>
    Errno TransferFromGuest(DmaScatterList backing, Rect rect, ulong offset);

    /// <summary>
    /// Copies <paramref name="rect"/> (within the resource) out, row after row without gaps, in
    /// <see cref="Format"/>; false where the destination is shorter than that.
    /// </summary>
    bool ReadPixels(Rect rect, Span<byte> destination);

    /// <summary>
    /// Copies <paramref name="rect"/> (within the resource) in, as <see cref="ReadPixels"/> gave it on another server; false
    /// where the source is shorter than that. <see cref="Flush"/> makes it current.
    /// </summary>
    bool WritePixels(Rect rect, ReadOnlySpan<byte> source);

    /// <summary>
    /// The pixels as a surface that a head can show; the same object each time, owned by the resource. Null where the
    /// host has no memory or descriptor for it, or a side is above <see cref="DisplayMode.MaxSize"/>; the resource stays usable.
    /// </summary>
    Surface? GetSurface();

    /// <summary>Makes <paramref name="rect"/> of the surface current after transfers or drawing. Allocates nothing.</summary>
    void Flush(Rect rect);
}
