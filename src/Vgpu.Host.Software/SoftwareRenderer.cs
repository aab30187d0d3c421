// A host GPU driver that needs no GPU: resources are plain memory and the processor copies.
using Vgpu.Gpus;
using Vgpu.Linux;
using Vgpu.Screens;

namespace Vgpu.Host.Software;

/// <summary>
/// Renders in memory. A resource costs anonymous memory until a head first shows it, and from then on it lives in the
/// memory file that viewers map, so that a transfer writes where they read and a flush copies nothing.
/// </summary>
public sealed class SoftwareRenderer : IRenderer
{
    /// <summary>
    /// Resources that may live in memory files at once. Each holds a file descriptor, and a guest must not use up
    /// those that this process needs for its client and its viewers.
    /// </summary>
    public const int MaxSurfaces = 512;

    public string Name => "software";

    /// <summary>Resources that live in memory files now.</summary>
    internal int SurfaceCount { get; set; }

    public IRendererResource? CreateResource2D(PixelFormat format, int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, int.MaxValue / SoftwareResource.BytesPerPixel);
        try
        {
            return new SoftwareResource(this, format, width, height);
        }
        catch (LinuxException)
        {
            return null; // ENOMEM: out of address space or of maps (mmap(2)).
        }
    }

    public void Dispose()
    {
    }
}
