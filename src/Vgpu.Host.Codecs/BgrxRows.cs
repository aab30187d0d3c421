using Vgpu.Screens;

namespace Vgpu.Host.Codecs;

// What every encoder asks of the pixels that it is given, before a pointer to them leaves managed code.
internal static class BgrxRows
{
    internal static void ValidateSize(int width, int height)
    {
        if (width is < 1 or > DisplayMode.MaxSize || height is < 1 or > DisplayMode.MaxSize)
        {
            throw new ArgumentException($"A picture is 1x1 to {DisplayMode.MaxSize}x{DisplayMode.MaxSize}, not {width}x{height}.", nameof(width));
        }
    }

    internal static void Validate(ReadOnlySpan<byte> bgrx, int width, int height, int stride)
    {
        ValidateSize(width, height);
        long row = (long)width * Surface.BytesPerPixel;
        if (stride < row || ((long)(height - 1) * stride) + row > bgrx.Length)
        {
            throw new ArgumentException($"{bgrx.Length} bytes with a stride of {stride} do not hold {width}x{height}.", nameof(bgrx));
        }
    }
}
