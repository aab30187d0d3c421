using System.Runtime.InteropServices;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// Takes one damaged rectangle of a surface into the picture: looks for scrolling, copies what differs, and says what moved
/// and what changed. Damage that changed nothing costs a comparison. Not thread-safe; allocates nothing in steady state.
/// </summary>
internal sealed class FrameUpdate
{
    private const int Tile = 64;
    private const int MaxScrollPause = 16;

    private readonly ScrollSearch _scroll = new();
    private readonly Move[] _moves = new Move[ScrollSearch.MaxMoves];
    private uint[] _row = [];
    private (int Top, int Bottom)[] _tiles = [];
    private int _moveCount;
    private int _failures;
    private int _pause;
    private Rect _paused;

    internal ReadOnlySpan<Move> Moves => _moves.AsSpan(0, _moveCount);

    internal DamageRegion Changes { get; } = new(64);

    internal bool IsEmpty => _moveCount == 0 && Changes.IsEmpty;

    /// <summary><paramref name="rect"/> lies within the surface, which is as large as the picture.</summary>
    internal void Run(Surface surface, Rect rect, Span<uint> picture, int pitch)
    {
        Changes.Clear();
        _moveCount = 0;
        if (rect.IsEmpty)
        {
            return;
        }

        if (_row.Length < rect.Width)
        {
            _row = new uint[rect.Width];
        }

        if (rect.Height >= ScrollSearch.MinHeight && rect.Width >= ScrollSearch.MinWidth && !IsPausing(rect))
        {
            FindMoves(surface, rect, picture, pitch);
        }

        for (int y = rect.Y; y < rect.Bottom; y += Tile)
        {
            CopyBand(surface, rect with { Y = y, Height = Math.Min(Tile, rect.Bottom - y) }, picture, pitch);
        }
    }

    // A picture that moves otherwise, such as a film, is not searched each time; another place is.
    private bool IsPausing(Rect rect)
    {
        if (_pause == 0 || rect != _paused)
        {
            return false;
        }

        _pause--;
        return true;
    }

    private void FindMoves(Surface surface, Rect rect, Span<uint> picture, int pitch)
    {
        Rect changed = ChangedBounds(surface, rect, picture, pitch);
        if (changed.Height < ScrollSearch.MinHeight || changed.Width < ScrollSearch.MinWidth)
        {
            return;
        }

        _moveCount = Search(surface, changed, picture, pitch, sideways: false);
        if (_moveCount == 0)
        {
            _moveCount = Search(surface, changed, picture, pitch, sideways: true);
        }

        _failures = _moveCount != 0 ? 0 : rect == _paused ? Math.Min(_failures + 1, MaxScrollPause) : 1;
        _paused = rect;
        _pause = _failures < 4 ? 0 : _failures;
        foreach (ref Move move in _moves.AsSpan(0, _moveCount))
        {
            move = move.Across == 0 ? Widened(move, surface, changed, picture, pitch) : Heightened(move, surface, changed, picture, pitch);
            Apply(move, picture, pitch);
        }
    }

    // Strips are coarse: the columns beside them that moved along, to the pixel.
    private Move Widened(Move move, Surface surface, Rect within, ReadOnlySpan<uint> picture, int pitch)
    {
        Rect target = move.Target;
        int left = target.X - within.X;
        int right = within.Right - target.Right;
        for (int y = target.Y; y < target.Bottom && left + right > 0; y++)
        {
            ReadOnlySpan<uint> after = NewRow(surface, within, y);
            ReadOnlySpan<uint> before = picture.Slice(((y + move.Down) * pitch) + within.X, within.Width);
            int at = target.X - within.X;
            int same = 0;
            while (same < left && after[at - same - 1] == before[at - same - 1])
            {
                same++;
            }

            left = same;
            at = target.Right - within.X;
            right = after.Slice(at, right).CommonPrefixLength(before.Slice(at, right));
        }

        return move with { Target = target with { X = target.X - left, Width = left + target.Width + right } };
    }

    // The rows above and below that moved along sideways.
    private Move Heightened(Move move, Surface surface, Rect within, ReadOnlySpan<uint> picture, int pitch)
    {
        int top = move.Target.Y;
        int bottom = move.Target.Bottom;
        while (top > within.Y && IsMoved(move, surface, within, top - 1, picture, pitch))
        {
            top--;
        }

        while (bottom < within.Bottom && IsMoved(move, surface, within, bottom, picture, pitch))
        {
            bottom++;
        }

        return move with { Target = move.Target with { Y = top, Height = bottom - top } };
    }

    private bool IsMoved(Move move, Surface surface, Rect within, int y, ReadOnlySpan<uint> picture, int pitch) =>
        NewRow(surface, within, y).Slice(move.Target.X - within.X, move.Target.Width).SequenceEqual(picture.Slice((y * pitch) + move.Source.X, move.Target.Width));

    private int Search(Surface surface, Rect changed, ReadOnlySpan<uint> picture, int pitch, bool sideways)
    {
        _scroll.Begin(changed, sideways);
        for (int y = 0; y < changed.Height; y++)
        {
            _scroll.Row(y, picture.Slice(((changed.Y + y) * pitch) + changed.X, changed.Width), NewRow(surface, changed, changed.Y + y));
        }

        return _scroll.Find(_moves);
    }

    private static void Apply(Move move, Span<uint> picture, int pitch)
    {
        Rect target = move.Target;
        for (int i = 0; i < target.Height; i++)
        {
            int y = target.Y + (move.Down > 0 ? i : target.Height - 1 - i);
            picture.Slice(((y + move.Down) * pitch) + target.X + move.Across, target.Width).CopyTo(picture[((y * pitch) + target.X)..]);
        }
    }

    private Rect ChangedBounds(Surface surface, Rect rect, ReadOnlySpan<uint> picture, int pitch)
    {
        int left = rect.Width;
        int right = 0;
        int top = -1;
        int bottom = 0;
        for (int y = rect.Y; y < rect.Bottom; y++)
        {
            ReadOnlySpan<uint> before = picture.Slice((y * pitch) + rect.X, rect.Width);
            ReadOnlySpan<uint> after = NewRow(surface, rect, y);
            int same = before.CommonPrefixLength(after);
            if (same == rect.Width)
            {
                continue;
            }

            left = Math.Min(left, same);
            int end = rect.Width;
            while (end > right && before[end - 1] == after[end - 1])
            {
                end--;
            }

            right = Math.Max(right, end);
            top = top < 0 ? y : top;
            bottom = y + 1;
        }

        return top < 0 ? default : new Rect(rect.X + left, top, right - left, bottom - top);
    }

    // One row of tiles: each tile's changed rows, joined with neighbours that changed in the same rows.
    private void CopyBand(Surface surface, Rect band, Span<uint> picture, int pitch)
    {
        int count = ((band.Width - 1) / Tile) + 1;
        if (_tiles.Length < count)
        {
            _tiles = new (int, int)[count];
        }

        Span<(int Top, int Bottom)> tiles = _tiles.AsSpan(0, count);
        tiles.Fill((int.MaxValue, 0));
        for (int y = band.Y; y < band.Bottom; y++)
        {
            Span<uint> before = picture.Slice((y * pitch) + band.X, band.Width);
            ReadOnlySpan<uint> after = NewRow(surface, band, y);
            int x = before.CommonPrefixLength(after);
            while (x < band.Width)
            {
                int tile = x / Tile;
                int end = Math.Min((tile + 1) * Tile, band.Width);
                after[x..end].CopyTo(before[x..]);
                tiles[tile] = (Math.Min(tiles[tile].Top, y), y + 1);
                x = end + ((ReadOnlySpan<uint>)before)[end..].CommonPrefixLength(after[end..]);
            }
        }

        for (int i = 0; i < count;)
        {
            int first = i;
            (int top, int bottom) = tiles[i++];
            while (i < count && tiles[i] == (top, bottom))
            {
                i++;
            }

            if (bottom != 0)
            {
                int right = Math.Min(i * Tile, band.Width);
                Changes.Add(new Rect(band.X + (first * Tile), top, right - (first * Tile), bottom - top));
            }
        }
    }

    private ReadOnlySpan<uint> NewRow(Surface surface, Rect rect, int y)
    {
        Span<uint> row = _row.AsSpan(0, rect.Width);
        PixelConversion.ToB8G8R8X8(surface.Row(y).Slice(rect.X * Surface.BytesPerPixel, rect.Width * Surface.BytesPerPixel), surface.Format, MemoryMarshal.AsBytes(row));
        return row;
    }
}
