// One 2D resource of the software renderer: where its pixels are, and how they get there.
using Vgpu.Gpus;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Host.Software;

/// <summary>Pixels in anonymous memory, or, once shown, in a surface's memory file. Follows <see cref="IRendererResource"/>.</summary>
internal sealed unsafe class SoftwareResource : IRendererResource
{
    /// <summary>All eight formats of the 2D list have 32-bit pixels.</summary>
    internal const int BytesPerPixel = Surface.BytesPerPixel;

    private readonly SoftwareRenderer _renderer;
    private MemoryMapping? _anonymous;
    private Surface? _surface;
    private byte* _pixels;
    private int _stride;

    /// <summary>Throws <see cref="LinuxException"/>.</summary>
    internal SoftwareResource(SoftwareRenderer renderer, PixelFormat format, int width, int height)
    {
        _renderer = renderer;
        Format = format;
        Width = width;
        Height = height;
        _stride = width * BytesPerPixel;
        _anonymous = MemoryMapping.Anonymous((ulong)_stride * (ulong)height);
        _pixels = _anonymous.Pointer;
    }

    public PixelFormat Format { get; }

    public int Width { get; }

    public int Height { get; }

    // Full-width rows have no gaps on either side, which the list copies as one.
    public Errno TransferFromGuest(DmaScatterList backing, Rect rect, ulong offset) =>
        rect.IsEmpty
            ? Errno.None
            : backing.CopyRowsTo(
                offset, (ulong)Width * BytesPerPixel, At(rect.X, rect.Y), (ulong)_stride, (ulong)rect.Width * BytesPerPixel, rect.Height);

    public bool ReadPixels(Rect rect, Span<byte> destination)
    {
        int rowLength = rect.Width * BytesPerPixel;
        if (destination.Length < (long)rowLength * rect.Height)
        {
            return false;
        }

        for (int row = 0; row < rect.Height; row++)
        {
            // Sound: the caller's rect lies within the resource, and the map lives as long as this object.
            new ReadOnlySpan<byte>(At(rect.X, rect.Y + row), rowLength).CopyTo(destination[(row * rowLength)..]);
        }

        return true;
    }

    public bool WritePixels(Rect rect, ReadOnlySpan<byte> source)
    {
        int rowLength = rect.Width * BytesPerPixel;
        if (source.Length < (long)rowLength * rect.Height)
        {
            return false;
        }

        for (int row = 0; row < rect.Height; row++)
        {
            // Sound: as for ReadPixels; the map is writable.
            source.Slice(row * rowLength, rowLength).CopyTo(new Span<byte>(At(rect.X, rect.Y + row), rowLength));
        }

        return true;
    }

    public Surface? GetSurface()
    {
        if (_surface is not null || _renderer.SurfaceCount >= SoftwareRenderer.MaxSurfaces
            || Width > DisplayMode.MaxSize || Height > DisplayMode.MaxSize)
        {
            return _surface;
        }

        Surface surface;
        try
        {
            surface = Surface.Create("vgpu-resource", Width, Height, Format);
        }
        catch (LinuxException)
        {
            return null; // ENOMEM, EMFILE or ENFILE: the resource stays where it is.
        }

        for (int row = 0; row < Height; row++)
        {
            // Sound: both maps hold Height rows of at least Width pixels, and nothing else uses them.
            Buffer.MemoryCopy(At(0, row), surface.Pixels + ((long)row * surface.Stride), surface.Stride, (long)Width * BytesPerPixel);
        }

        _surface = surface;
        _renderer.SurfaceCount++;
        _pixels = surface.Pixels;
        _stride = surface.Stride;
        _anonymous!.Dispose();
        _anonymous = null;
        return surface;
    }

    /// <summary>Nothing to do: transfers write where viewers read.</summary>
    public void Flush(Rect rect)
    {
    }

    public void Dispose()
    {
        _pixels = null;
        if (_surface is not null)
        {
            _surface.Dispose();
            _surface = null;
            _renderer.SurfaceCount--;
        }

        _anonymous?.Dispose();
        _anonymous = null;
    }

    // Sound: callers pass a place within the resource; the map is live until Dispose.
    private byte* At(int x, int y) => _pixels + ((long)y * _stride) + ((long)x * BytesPerPixel);
}
