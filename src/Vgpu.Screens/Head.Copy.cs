// Copies of a part of what a head shows, for a viewer that keeps a picture of its own up to date.
namespace Vgpu.Screens;

public sealed partial class Head
{
    // The longest that the device waits for a viewer: some tens of microseconds.
    private const int BandBytes = 256 << 10;

    /// <summary>
    /// Copies this part of what is shown, as it is now, to the same place of <paramref name="target"/>, which is B8G8R8X8;
    /// what lies outside it is left out. False, with an unknown part copied, where something of another size is shown, or
    /// nothing. The lock is held for a band of rows at a time, so that drawing never waits for long. Allocates nothing.
    /// Throws <see cref="ArgumentException"/>.
    /// </summary>
    public bool TryCopy(Rect rect, Surface target)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (target.Format != PixelFormat.B8G8R8X8)
        {
            throw new ArgumentException($"Pixels are copied as B8G8R8X8, not {target.Format}.", nameof(target));
        }

        rect = rect.Intersect(target.Bounds);
        if (rect.IsEmpty)
        {
            return true;
        }

        int rows = Math.Max(1, BandBytes / (rect.Width * Surface.BytesPerPixel));
        for (int y = rect.Y; y < rect.Bottom; y += rows)
        {
            if (!TryCopyBand(rect with { Y = y, Height = Math.Min(rows, rect.Bottom - y) }, target))
            {
                return false;
            }
        }

        return true;
    }

    private bool TryCopyBand(Rect band, Surface target)
    {
        int start = band.X * Surface.BytesPerPixel;
        int length = band.Width * Surface.BytesPerPixel;
        lock (_lock)
        {
            if (_surface is null || _surface.Width != target.Width || _surface.Height != target.Height)
            {
                return false;
            }

            for (int y = band.Y; y < band.Bottom; y++)
            {
                PixelConversion.ToB8G8R8X8(_surface.Row(y).Slice(start, length), _surface.Format, target.Row(y).Slice(start, length));
            }

            return true;
        }
    }
}
