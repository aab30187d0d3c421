namespace Vgpu.Viewers.Rfb;

/// <summary>The colours of a rectangle in the order in which they came, up to 256. Not thread-safe; allocates nothing.</summary>
internal sealed class Palette
{
    internal const int MaxColours = 256;

    private const int Slots = 1024;
    private readonly uint[] _colours = new uint[MaxColours];
    private readonly short[] _table = new short[Slots];

    internal ReadOnlySpan<uint> Colours => _colours.AsSpan(0, Count);

    internal int Count { get; private set; }

    /// <summary>Gathers the colours; false, and not all of them, where there are more than <paramref name="most"/>.</summary>
    internal bool TryGather(PixelBlock block, int most)
    {
        Array.Clear(_table);
        Count = 0;
        uint last = ~block.Row(0)[0];
        for (int y = 0; y < block.Height; y++)
        {
            ReadOnlySpan<uint> row = block.Row(y);
            for (int x = 0; x < row.Length;)
            {
                if (row[x] != last)
                {
                    last = row[x];
                    if (!TryAdd(last, most))
                    {
                        return false;
                    }
                }

                int same = row[x..].IndexOfAnyExcept(last);
                x = same < 0 ? row.Length : x + same;
            }
        }

        return true;
    }

    /// <summary>Which colour this is; it has been gathered.</summary>
    internal byte IndexOf(uint colour) => (byte)(_table[Find(colour)] - 1);

    private bool TryAdd(uint colour, int most)
    {
        int slot = Find(colour);
        if (_table[slot] != 0)
        {
            return true;
        }

        if (Count == most)
        {
            return false;
        }

        _colours[Count] = colour;
        _table[slot] = (short)++Count;
        return true;
    }

    private int Find(uint colour)
    {
        int slot = (int)((colour * 0x9e3779b1) >> 22);
        while (_table[slot] != 0 && _colours[_table[slot] - 1] != colour)
        {
            slot = (slot + 1) & (Slots - 1);
        }

        return slot;
    }
}
