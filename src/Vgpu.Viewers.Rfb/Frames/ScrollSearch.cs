using System.Numerics;
using System.Runtime.InteropServices;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// Finds rows that moved up or down between two pictures of the same place, by a hash of each row. What it finds is a
/// guess: whoever applies it compares afterwards. Allocates nothing once its buffers are as large as the screen.
/// </summary>
internal sealed class ScrollSearch
{
    /// <summary>Shorter or narrower changes are cheaper to send than to look into.</summary>
    internal const int MinHeight = 32;

    internal const int MinWidth = 48;
    internal const int MaxMoves = 4;

    private const int MinRun = 16;
    private const int Empty = 0;
    private const int Ambiguous = -1;

    private uint[] _before = [];
    private uint[] _after = [];
    private int[] _votes = [];
    private (uint Hash, int Row)[] _table = [];
    private int _rows;

    /// <summary>Makes room for <paramref name="rows"/> rows and forgets what was before.</summary>
    internal void Begin(int rows)
    {
        _rows = rows;
        if (_before.Length < rows)
        {
            _before = new uint[rows];
            _after = new uint[rows];
            _votes = new int[(2 * rows) + 1];
            _table = new (uint, int)[BitOperations.RoundUpToPowerOf2((uint)(2 * rows))];
        }
    }

    internal void Row(int y, ReadOnlySpan<uint> before, ReadOnlySpan<uint> after)
    {
        _before[y] = Hash(before);
        _after[y] = Hash(after);
    }

    /// <summary>The moves within <paramref name="place"/>, whose rows have been given, in the order in which they must be done.</summary>
    internal int Find(Rect place, Span<Move> moves)
    {
        int down = MostVoted();
        if (down == 0)
        {
            return 0;
        }

        int count = 0;
        int y = 0;
        while (y < _rows && count < moves.Length)
        {
            int run = RunAt(y, down);
            if (run >= MinRun)
            {
                moves[count++] = new Move(new Rect(place.X, place.Y + y, place.Width, run), down);
            }

            y += Math.Max(run, 1);
        }

        // No target may overwrite what a later move takes.
        if (down < 0)
        {
            moves[..count].Reverse();
        }

        return count;
    }

    private int RunAt(int y, int down)
    {
        int run = 0;
        while (y + run < _rows && (uint)(y + run + down) < (uint)_rows && _after[y + run] == _before[y + run + down])
        {
            run++;
        }

        return run;
    }

    // Each row that differs from what was there, and was at just one other place, votes for the way from there.
    private int MostVoted()
    {
        Span<(uint Hash, int Row)> table = _table;
        table.Clear();
        for (int y = 0; y < _rows; y++)
        {
            ref (uint Hash, int Row) slot = ref Slot(table, _before[y]);
            slot = (_before[y], slot.Row == Empty ? y + 1 : Ambiguous);
        }

        Array.Clear(_votes);
        int differing = 0;
        int best = 0;
        for (int y = 0; y < _rows; y++)
        {
            if (_after[y] == _before[y])
            {
                continue;
            }

            differing++;
            int from = Slot(table, _after[y]).Row;
            if (from > 0)
            {
                int down = from - 1 - y;
                int votes = ++_votes[down + _rows];
                best = votes > _votes[best + _rows] ? down : best;
            }
        }

        return best != 0 && _votes[best + _rows] >= Math.Max(6, differing / 10) ? best : 0;
    }

    private static ref (uint Hash, int Row) Slot(Span<(uint Hash, int Row)> table, uint hash)
    {
        int mask = table.Length - 1;
        int at = (int)(hash & (uint)mask);
        while (table[at].Row != Empty && table[at].Hash != hash)
        {
            at = (at + 1) & mask;
        }

        return ref table[at];
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
}
