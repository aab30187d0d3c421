using System.Numerics;
using System.Runtime.InteropServices;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// Finds pixels that moved up, down or sideways between two pictures of the same place, by hashes of pieces of its rows, or of
/// its columns. What it finds is a guess: whoever applies it compares afterwards. Allocates nothing once its buffers are as
/// large as the screen.
/// </summary>
internal sealed class ScrollSearch
{
    /// <summary>Shorter or narrower changes are cheaper to send than to look into.</summary>
    internal const int MinHeight = 32;

    internal const int MinWidth = 48;
    internal const int MaxMoves = 4;

    private const int Strip = 128;
    private const uint Factor = 0x9e3779b1;

    private readonly LineMatcher _matcher = new();
    private Rect _place;
    private bool _isSideways;

    /// <summary>Begins with a place; <paramref name="sideways"/>: looks for columns rather than rows.</summary>
    internal void Begin(Rect place, bool sideways)
    {
        _place = place;
        _isSideways = sideways;
        (int lines, int across) = sideways ? (place.Width, place.Height) : (place.Height, place.Width);
        _matcher.Begin(lines, ((across - 1) / Strip) + 1);
    }

    /// <summary>One row of the place, for each from the first to the last.</summary>
    internal void Row(int y, ReadOnlySpan<uint> before, ReadOnlySpan<uint> after)
    {
        if (_isSideways)
        {
            Add(_matcher.Before(y / Strip), before);
            Add(_matcher.After(y / Strip), after);
            return;
        }

        for (int strip = 0; strip < _matcher.Strips; strip++)
        {
            int x = strip * Strip;
            int width = Math.Min(Strip, before.Length - x);
            _matcher.Before(strip)[y] = Hash(before.Slice(x, width));
            _matcher.After(strip)[y] = Hash(after.Slice(x, width));
        }
    }

    /// <summary>The moves within the place, in the order in which they must be done.</summary>
    internal int Find(Span<Move> moves)
    {
        Span<LineRun> runs = stackalloc LineRun[MaxMoves];
        int count = _matcher.Find(runs, out int shift);
        for (int i = 0; i < count; i++)
        {
            LineRun run = runs[i];
            Rect target = _isSideways
                ? new Rect(_place.X + run.Line, _place.Y + (run.Strip * Strip), run.Lines, run.Strips * Strip)
                : new Rect(_place.X + (run.Strip * Strip), _place.Y + run.Line, run.Strips * Strip, run.Lines);
            moves[i] = new Move(target.Intersect(_place), _isSideways ? 0 : shift, _isSideways ? shift : 0);
        }

        return count;
    }

    private static uint Hash(ReadOnlySpan<uint> row)
    {
        uint hash = uint.MaxValue;
        foreach (ulong pair in MemoryMarshal.Cast<uint, ulong>(row))
        {
            hash = BitOperations.Crc32C(hash, pair);
        }

        return (row.Length & 1) != 0 ? BitOperations.Crc32C(hash, row[^1]) : hash;
    }

    // All columns at once, a row further.
    private static void Add(Span<uint> hashes, ReadOnlySpan<uint> row)
    {
        var factor = new Vector<uint>(Factor);
        int x = 0;
        for (; x + Vector<uint>.Count <= row.Length; x += Vector<uint>.Count)
        {
            Vector<uint> sum = (new Vector<uint>(hashes[x..]) * factor) + new Vector<uint>(row[x..]);
            (sum ^ Vector.ShiftRightLogical(sum, 15)).CopyTo(hashes[x..]);
        }

        for (; x < row.Length; x++)
        {
            uint sum = (hashes[x] * Factor) + row[x];
            hashes[x] = sum ^ (sum >> 15);
        }
    }
}
