using Vgpu.Screens;

namespace Vgpu.Bench.Screens;

/// <summary>
/// What every picture says of itself, in its upper left corner: its number and how many keys were seen by then, as black and
/// white squares that survive any compression. A checksum tells a strip that is only half there.
/// </summary>
internal static class Strip
{
    private const int Cell = 16;
    private const int Bits = 32;
    private const uint White = 0xff_ffff;

    internal static Rect Area => new(0, 0, Cell * Bits, Cell);

    internal static void Paint(Canvas canvas, ushort frame, byte keys)
    {
        uint word = Word(frame, keys);
        for (int bit = 0; bit < Bits; bit++)
        {
            canvas.Fill(new Rect(bit * Cell, 0, Cell, Cell), (word >> bit & 1) != 0 ? White : 0);
        }
    }

    /// <summary>Reads it by the middles of its squares; false where it is not whole.</summary>
    internal static bool TryRead(Func<int, int, uint> pixel, out ushort frame, out byte keys)
    {
        uint word = 0;
        for (int bit = 0; bit < Bits; bit++)
        {
            uint colour = pixel((bit * Cell) + (Cell / 2), Cell / 2);
            word |= ((colour >> 8) & 0xff) >= 128 ? 1u << bit : 0;
        }

        (frame, keys) = ((ushort)word, (byte)(word >> 16));
        return word == Word(frame, keys);
    }

    private static uint Word(ushort frame, byte keys) =>
        frame | ((uint)keys << 16) | ((uint)(byte)((frame * 7) ^ (frame >> 8) ^ (keys * 31) ^ 0xa5) << 24);
}
