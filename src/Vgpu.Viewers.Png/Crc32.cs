namespace Vgpu.Viewers.Png;

// The CRC of PNG (W3C PNG 3rd edition, Annex D; ISO 3309), eight bytes a step. Of our own: .NET has none without a
// further package, and PNG libraries bring native code.
internal static class Crc32
{
    private const uint Polynomial = 0xedb88320;
    private const int Slices = 8;
    private static readonly uint[] _table = MakeTable();

    // Starts with 0; the result of one call continues in the next.
    internal static uint Append(uint crc, ReadOnlySpan<byte> data)
    {
        uint[] table = _table;
        crc = ~crc;
        while (data.Length >= Slices)
        {
            crc ^= (uint)(data[0] | (data[1] << 8) | (data[2] << 16) | (data[3] << 24));
            crc = table[(7 * 256) + (byte)crc] ^ table[(6 * 256) + (byte)(crc >> 8)]
                ^ table[(5 * 256) + (byte)(crc >> 16)] ^ table[(4 * 256) + (byte)(crc >> 24)]
                ^ table[(3 * 256) + data[4]] ^ table[(2 * 256) + data[5]] ^ table[256 + data[6]] ^ table[data[7]];
            data = data[Slices..];
        }

        foreach (byte value in data)
        {
            crc = table[(byte)(crc ^ value)] ^ (crc >> 8);
        }

        return ~crc;
    }

    private static uint[] MakeTable()
    {
        var table = new uint[Slices * 256];
        for (uint i = 0; i < 256; i++)
        {
            uint value = i;
            for (int bit = 0; bit < 8; bit++)
            {
                value = (value >> 1) ^ ((value & 1) != 0 ? Polynomial : 0);
            }

            table[i] = value;
        }

        for (int i = 256; i < table.Length; i++)
        {
            table[i] = (table[i - 256] >> 8) ^ table[(byte)table[i - 256]];
        }

        return table;
    }
}
