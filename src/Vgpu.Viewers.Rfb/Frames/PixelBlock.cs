namespace Vgpu.Viewers.Rfb;

/// <summary>A rectangle of B8G8R8X8 pixels with X = 255, in memory of somebody else's; rows are <paramref name="stride"/> pixels apart.</summary>
internal readonly ref struct PixelBlock(ReadOnlySpan<uint> pixels, int stride, int width, int height)
{
    private readonly ReadOnlySpan<uint> _pixels = pixels;
    private readonly int _stride = stride;

    internal int Width { get; } = width;

    internal int Height { get; } = height;

    internal int Stride => _stride;

    /// <summary>All pixels from the first one on, gaps included.</summary>
    internal ReadOnlySpan<uint> Pixels => _pixels;

    internal ReadOnlySpan<uint> Row(int y) => _pixels.Slice(y * _stride, Width);

    internal PixelBlock Part(int x, int y, int width, int height) => new(_pixels[((y * _stride) + x)..], _stride, width, height);

    internal void CopyTo(Span<uint> target)
    {
        for (int y = 0; y < Height; y++)
        {
            Row(y).CopyTo(target[(y * Width)..]);
        }
    }
}
