using Vgpu.Screens;

namespace Vgpu.Vendors.Bochs;

// What viewers see of a mapped framebuffer: a surface of our own that is brought up to date tile by tile, and the tiles
// that differed.
internal sealed class Shadow : IDisposable
{
    /// <summary>A tile's width and height in pixels.</summary>
    internal const int Tile = 64;

    private const int TileBytes = Tile * Surface.BytesPerPixel;

    private readonly byte[] _converted;
    private readonly bool[] _dirty;

    internal Shadow(string name, in DispiMode mode)
    {
        PixelFormat format = mode.Format == DispiFormat.X8R8G8B8 ? PixelFormat.X8R8G8B8 : PixelFormat.B8G8R8X8;
        Surface = Surface.Create(name, mode.Width, mode.Height, format);
        Format = mode.Format;
        _converted = new byte[mode.Format == DispiFormat.R5G6B5 ? mode.Width * Surface.BytesPerPixel : 0];
        _dirty = new bool[(mode.Width + Tile - 1) / Tile];
    }

    internal Surface Surface { get; }

    internal DispiFormat Format { get; }

    /// <summary>The most rectangles that one update reports.</summary>
    internal int MaxRects => (_dirty.Length + 1) / 2 * ((Surface.Height + Tile - 1) / Tile);

    /// <summary>Whether it can go on showing this mode, wherever in memory its picture is.</summary>
    internal bool Suits(in DispiMode mode) => mode.Format == Format && mode.Width == Surface.Width && mode.Height == Surface.Height;

    /// <summary>
    /// Copies the tiles that differ. Neighbours in a row of tiles make one rectangle; the number of rectangles written
    /// to <paramref name="rects"/> is returned. The guest may write meanwhile: what came too late differs next time.
    /// </summary>
    internal int Update(Framebuffer framebuffer, in DispiMode mode, Span<Rect> rects)
    {
        int count = 0;
        for (int top = 0; top < mode.Height; top += Tile)
        {
            int bottom = Math.Min(top + Tile, mode.Height);
            bool any = false;
            for (int y = top; y < bottom; y++)
            {
                any |= UpdateRow(Pixels(framebuffer, mode, y), Surface.Row(y));
            }

            if (any)
            {
                count = Collect(top, bottom, rects, count);
                _dirty.AsSpan().Clear();
            }
        }

        return count;
    }

    public void Dispose() => Surface.Dispose();

    private ReadOnlySpan<byte> Pixels(Framebuffer framebuffer, in DispiMode mode, int y)
    {
        ReadOnlySpan<byte> row = framebuffer.Row(mode, y);
        if (Format != DispiFormat.R5G6B5)
        {
            return row;
        }

        Rgb565.ToB8G8R8X8(row, _converted);
        return _converted;
    }

    // SequenceEqual compares with the widest vectors that the processor has, and most rows are equal.
    private bool UpdateRow(ReadOnlySpan<byte> pixels, Span<byte> shadow)
    {
        if (pixels.SequenceEqual(shadow))
        {
            return false;
        }

        for (int tile = 0, at = 0; at < pixels.Length; tile++, at += TileBytes)
        {
            int length = Math.Min(TileBytes, pixels.Length - at);
            if (!pixels.Slice(at, length).SequenceEqual(shadow.Slice(at, length)))
            {
                pixels.Slice(at, length).CopyTo(shadow.Slice(at, length));
                _dirty[tile] = true;
            }
        }

        return true;
    }

    private int Collect(int top, int bottom, Span<Rect> rects, int count)
    {
        for (int tile = 0; tile < _dirty.Length; tile++)
        {
            if (!_dirty[tile])
            {
                continue;
            }

            int first = tile;
            while (tile + 1 < _dirty.Length && _dirty[tile + 1])
            {
                tile++;
            }

            int right = Math.Min((tile + 1) * Tile, Surface.Width);
            rects[count++] = new Rect(first * Tile, top, right - (first * Tile), bottom - top);
        }

        return count;
    }
}
