using System.Numerics;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// Two pictures as hashes of their lines (rows or columns), each line in strips: which way most lines that differ have gone,
/// and where they are now. A strip beside that stays as it is or changes otherwise does no harm. Not thread-safe.
/// </summary>
internal sealed class LineMatcher
{
    private const int MinRun = 16;
    private const int MinVotes = 6;
    private const int Empty = 0;
    private const int Ambiguous = -1;

    private uint[] _before = [];
    private uint[] _after = [];
    private int[] _votes = [];
    private int[] _gains = [];
    private (uint Hash, int Line)[] _table = [];
    private int _lines;

    internal int Strips { get; private set; }

    /// <summary>Makes room, and all hashes 0.</summary>
    internal void Begin(int lines, int strips)
    {
        (_lines, Strips) = (lines, strips);
        if (_before.Length < lines * strips)
        {
            _before = new uint[lines * strips];
            _after = new uint[lines * strips];
        }

        if (_votes.Length < (2 * lines) + 1)
        {
            _votes = new int[(2 * lines) + 1];
            _table = new (uint, int)[BitOperations.RoundUpToPowerOf2((uint)(2 * lines))];
        }

        if (_gains.Length < strips)
        {
            _gains = new int[strips];
        }

        Array.Clear(_before, 0, lines * strips);
        Array.Clear(_after, 0, lines * strips);
    }

    internal Span<uint> Before(int strip) => _before.AsSpan(strip * _lines, _lines);

    internal Span<uint> After(int strip) => _after.AsSpan(strip * _lines, _lines);

    /// <summary>
    /// Where lines are that were <paramref name="shift"/> lines further on before, in an order in which none overwrites what
    /// a later one takes. None where nothing moved.
    /// </summary>
    internal int Find(Span<LineRun> runs, out int shift)
    {
        shift = MostVoted();
        if (shift == 0)
        {
            return 0;
        }

        for (int strip = 0; strip < Strips; strip++)
        {
            _gains[strip] = Gain(strip, shift);
        }

        int seed = MostGaining();
        int least = Math.Max(MinVotes, _gains[seed] / 4);
        int count = 0;
        while (count < runs.Length && _gains[seed] >= least)
        {
            count += RunsFrom(seed, shift, runs[count..]);
            seed = MostGaining();
        }

        bool isUp = shift > 0;
        runs[..count].Sort((a, b) => isUp ? a.Line.CompareTo(b.Line) : b.Line.CompareTo(a.Line));
        return count;
    }

    private int MostGaining()
    {
        int most = 0;
        for (int strip = 1; strip < Strips; strip++)
        {
            most = _gains[strip] > _gains[most] ? strip : most;
        }

        return most;
    }

    // The runs of one strip, each as wide as its neighbours go along.
    private int RunsFrom(int seed, int shift, Span<LineRun> runs)
    {
        int count = 0;
        int first = seed;
        int last = seed;
        for (int line = 0; line < _lines && count < runs.Length;)
        {
            int length = RunAt(seed, line, shift);
            if (length >= MinRun)
            {
                var run = new LineRun(line, length, seed, 1);
                while (run.Strip > 0 && TryWiden(ref run, run.Strip - 1, shift))
                {
                    run.Strip--;
                    run.Strips++;
                }

                while (run.Strip + run.Strips < Strips && TryWiden(ref run, run.Strip + run.Strips, shift))
                {
                    run.Strips++;
                }

                first = Math.Min(first, run.Strip);
                last = Math.Max(last, run.Strip + run.Strips - 1);
                runs[count++] = run;
            }

            line += Math.Max(length, 1);
        }

        // Each strip is one seed's only, so that runs do not overlap.
        _gains.AsSpan(first, last - first + 1).Fill(-1);
        return count;
    }

    // With the longest part of the run that this strip has too, where that is nearly all of it.
    private bool TryWiden(ref LineRun run, int strip, int shift)
    {
        if (_gains[strip] < 0)
        {
            return false;
        }

        int best = 0;
        int bestAt = 0;
        int end = run.Line + run.Lines;
        for (int line = run.Line; line < end;)
        {
            int length = Math.Min(RunAt(strip, line, shift), end - line);
            if (length > best)
            {
                (best, bestAt) = (length, line);
            }

            line += Math.Max(length, 1);
        }

        if (best < run.Lines - (run.Lines / 8) || best < MinRun)
        {
            return false;
        }

        (run.Line, run.Lines) = (bestAt, best);
        return true;
    }

    private int RunAt(int strip, int line, int shift)
    {
        if (line + shift < 0 || line + shift >= _lines)
        {
            return 0;
        }

        int most = Math.Min(_lines - line, _lines - line - shift);
        return After(strip).Slice(line, most).CommonPrefixLength(Before(strip).Slice(line + shift, most));
    }

    // Lines that differ from what was there and are explained by the move.
    private int Gain(int strip, int shift)
    {
        ReadOnlySpan<uint> before = Before(strip);
        ReadOnlySpan<uint> after = After(strip);
        int gain = 0;
        for (int line = Math.Max(0, -shift); line < _lines && line + shift < _lines; line++)
        {
            gain += after[line] != before[line] && after[line] == before[line + shift] ? 1 : 0;
        }

        return gain;
    }

    // Each line that differs from what was there, and was at just one other place, votes for the way from there.
    private int MostVoted()
    {
        Array.Clear(_votes);
        int differing = 0;
        int best = 0;
        for (int strip = 0; strip < Strips; strip++)
        {
            ReadOnlySpan<uint> before = Before(strip);
            ReadOnlySpan<uint> after = After(strip);
            int same = before.CommonPrefixLength(after);
            if (same < _lines)
            {
                differing += Vote(before, after, same, ref best);
            }
        }

        return best != 0 && _votes[best + _lines] >= Math.Max(MinVotes, differing / 10) ? best : 0;
    }

    private int Vote(ReadOnlySpan<uint> before, ReadOnlySpan<uint> after, int from, ref int best)
    {
        Span<(uint Hash, int Line)> table = _table;
        table.Clear();
        for (int line = 0; line < _lines; line++)
        {
            ref (uint Hash, int Line) slot = ref Slot(table, before[line]);
            slot = (before[line], slot.Line == Empty ? line + 1 : Ambiguous);
        }

        int differing = 0;
        for (int line = from; line < _lines; line++)
        {
            if (after[line] == before[line])
            {
                continue;
            }

            differing++;
            int was = Slot(table, after[line]).Line;
            if (was > 0)
            {
                int shift = was - 1 - line;
                int votes = ++_votes[shift + _lines];
                best = best == 0 || votes > _votes[best + _lines] ? shift : best;
            }
        }

        return differing;
    }

    private static ref (uint Hash, int Line) Slot(Span<(uint Hash, int Line)> table, uint hash)
    {
        int mask = table.Length - 1;
        int at = (int)(hash & (uint)mask);
        while (table[at].Line != Empty && table[at].Hash != hash)
        {
            at = (at + 1) & mask;
        }

        return ref table[at];
    }
}
