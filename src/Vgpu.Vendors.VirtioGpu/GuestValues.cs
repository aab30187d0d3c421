// Rectangles and formats as guests send them, checked once and turned into ours (virtio 1.2, 5.7.6.7).
using Vgpu.Screens;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>struct virtio_gpu_rect: four numbers of 32 bits that may mean anything.</summary>
internal static class GuestRect
{
    /// <summary>The rectangle, where it lies within a picture of this size; it may be empty. True: the size fits 31 bits.</summary>
    internal static bool TryWithin(in VirtioGpuRect rect, uint width, uint height, out Rect result)
    {
        bool within = width <= int.MaxValue && height <= int.MaxValue
            && (ulong)rect.X + rect.Width <= width && (ulong)rect.Y + rect.Height <= height;
        result = within ? new Rect((int)rect.X, (int)rect.Y, (int)rect.Width, (int)rect.Height) : default;
        return within;
    }

    /// <summary>The part of the rectangle that a scanout could show.</summary>
    internal static Rect Clip(in VirtioGpuRect rect)
    {
        long right = Math.Min((long)rect.X + rect.Width, int.MaxValue);
        long bottom = Math.Min((long)rect.Y + rect.Height, int.MaxValue);
        return rect.X >= right || rect.Y >= bottom
            ? default
            : new Rect((int)rect.X, (int)rect.Y, (int)(right - rect.X), (int)(bottom - rect.Y));
    }
}

/// <summary>enum virtio_gpu_formats.</summary>
internal static class GuestFormat
{
    /// <summary>One of the eight formats of the 2D list.</summary>
    internal static bool TryParse(uint number, out PixelFormat format)
    {
        format = (PixelFormat)number;
        return format is PixelFormat.B8G8R8A8 or PixelFormat.B8G8R8X8 or PixelFormat.A8R8G8B8 or PixelFormat.X8R8G8B8
            or PixelFormat.R8G8B8A8 or PixelFormat.X8B8G8R8 or PixelFormat.A8B8G8R8 or PixelFormat.R8G8B8X8;
    }
}
