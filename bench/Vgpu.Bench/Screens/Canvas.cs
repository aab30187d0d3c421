using Vgpu.Screens;

namespace Vgpu.Bench.Screens;

/// <summary>The pixels of a screen that a scene is painted on: rows of B8G8R8X8 of <see cref="Width"/> pixels.</summary>
internal readonly ref struct Canvas(Span<uint> pixels)
{
    internal const int Width = 1920;
    internal const int Height = 1080;

    private readonly Span<uint> _pixels = pixels;

    internal static Rect Whole => new(0, 0, Width, Height);

    internal Span<uint> Row(int x, int y, int width) => _pixels.Slice((y * Width) + x, width);

    internal void Fill(Rect rect, uint colour)
    {
        for (int y = rect.Y; y < rect.Bottom; y++)
        {
            Row(rect.X, y, rect.Width).Fill(colour);
        }
    }
}
