namespace Vgpu.Viewers.Rfb;

/// <summary>ZRLE: tiles of 64 by 64, each in the shortest of its forms, in one zlib stream (RFC 6143, 7.7.6).</summary>
internal sealed class ZrleEncoder(int level) : IRectEncoder
{
    private const int Tile = 64;
    private const int MaxPalette = 127;
    private const int MaxPacked = 16;
    private const byte PlainRle = 128;

    private readonly Deflater _deflater = new(level);
    private readonly Palette _palette = new();
    private readonly uint[] _pixels = new uint[Tile * Tile];
    private readonly byte[] _bytes = new byte[1 + (Tile * Tile * 4)];

    public int Number => RfbProtocol.EncodingZrle;

    public (int Width, int Height) Grid => (2048, 128);

    public bool Encode(PixelBlock block, ViewerFormat format, Loss loss, OutputBuffer to)
    {
        int lengthAt = to.Length;
        to.U32(0);
        _deflater.Target = to;
        for (int y = 0; y < block.Height; y += Tile)
        {
            for (int x = 0; x < block.Width; x += Tile)
            {
                PixelBlock tile = block.Part(x, y, Math.Min(Tile, block.Width - x), Math.Min(Tile, block.Height - y));
                _deflater.Write(_bytes.AsSpan(0, EncodeTile(tile, format.Compact)));
            }
        }

        _deflater.Flush();
        to.SetU32(lengthAt, (uint)(to.Length - lengthAt - 4));
        return true;
    }

    public void Dispose() => _deflater.Dispose();

    private int EncodeTile(PixelBlock tile, PixelPacker packer)
    {
        tile.CopyTo(_pixels);
        ReadOnlySpan<uint> pixels = _pixels.AsSpan(0, tile.Width * tile.Height);
        int size = packer.Size;
        int colours = _palette.TryGather(tile, MaxPalette) ? _palette.Count : int.MaxValue;
        if (colours == 1)
        {
            _bytes[0] = 1;
            packer.Pack(pixels[..1], _bytes.AsSpan(1, size));
            return 1 + size;
        }

        (int plainRle, int indexedRle) = RunLengths(pixels, size);
        int raw = pixels.Length * size;
        int packed = colours <= MaxPacked ? (colours * size) + (tile.Height * PackedRow(tile.Width, colours)) : int.MaxValue;
        indexedRle = colours <= MaxPalette ? indexedRle + (colours * size) : int.MaxValue;
        int least = Math.Min(Math.Min(raw, plainRle), Math.Min(packed, indexedRle));
        if (least == packed)
        {
            return WritePacked(pixels, tile.Width, tile.Height, packer);
        }

        if (least == raw)
        {
            _bytes[0] = 0;
            packer.Pack(pixels, _bytes.AsSpan(1, raw));
            return 1 + raw;
        }

        return least == indexedRle ? WriteIndexedRle(pixels, packer) : WritePlainRle(pixels, packer);
    }

    private static (int Plain, int Indexed) RunLengths(ReadOnlySpan<uint> pixels, int size)
    {
        int plain = 0;
        int indexed = 0;
        for (int at = 0; at < pixels.Length;)
        {
            int run = RunAt(pixels, at);
            int length = ((run - 1) / 255) + 1;
            plain += size + length;
            indexed += run == 1 ? 1 : 1 + length;
            at += run;
        }

        return (plain, indexed);
    }

    private int WritePacked(ReadOnlySpan<uint> pixels, int width, int height, PixelPacker packer)
    {
        int colours = _palette.Count;
        int bits = BitsFor(colours);
        int at = WritePalette((byte)colours, packer);
        for (int y = 0; y < height; y++)
        {
            int shift = 8;
            int value = 0;
            for (int x = 0; x < width; x++)
            {
                shift -= bits;
                value |= _palette.IndexOf(pixels[(y * width) + x]) << shift;
                if (shift == 0 || x == width - 1)
                {
                    _bytes[at++] = (byte)value;
                    shift = 8;
                    value = 0;
                }
            }
        }

        return at;
    }

    private int WriteIndexedRle(ReadOnlySpan<uint> pixels, PixelPacker packer)
    {
        int at = WritePalette((byte)(128 + _palette.Count), packer);
        for (int from = 0; from < pixels.Length;)
        {
            int run = RunAt(pixels, from);
            byte index = _palette.IndexOf(pixels[from]);
            from += run;
            if (run == 1)
            {
                _bytes[at++] = index;
                continue;
            }

            _bytes[at++] = (byte)(index | 128);
            at = WriteLength(run, at);
        }

        return at;
    }

    private int WritePlainRle(ReadOnlySpan<uint> pixels, PixelPacker packer)
    {
        _bytes[0] = PlainRle;
        int at = 1;
        for (int from = 0; from < pixels.Length;)
        {
            int run = RunAt(pixels, from);
            packer.Pack(pixels.Slice(from, 1), _bytes.AsSpan(at, packer.Size));
            at = WriteLength(run, at + packer.Size);
            from += run;
        }

        return at;
    }

    private int WritePalette(byte kind, PixelPacker packer)
    {
        _bytes[0] = kind;
        packer.Pack(_palette.Colours, _bytes.AsSpan(1, _palette.Count * packer.Size));
        return 1 + (_palette.Count * packer.Size);
    }

    private int WriteLength(int run, int at)
    {
        int rest = run - 1;
        for (; rest >= 255; rest -= 255)
        {
            _bytes[at++] = 255;
        }

        _bytes[at++] = (byte)rest;
        return at;
    }

    private static int RunAt(ReadOnlySpan<uint> pixels, int at)
    {
        int other = pixels[at..].IndexOfAnyExcept(pixels[at]);
        return other < 0 ? pixels.Length - at : other;
    }

    private static int BitsFor(int colours) => colours <= 2 ? 1 : colours <= 4 ? 2 : 4;

    private static int PackedRow(int width, int colours) => ((width * BitsFor(colours)) + 7) / 8;
}
