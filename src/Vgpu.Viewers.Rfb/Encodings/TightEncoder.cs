using System.Runtime.InteropServices;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// Tight (rfbproto, "Tight Encoding"): one colour, two colours as bits, a palette, or all colours, through zlib streams
/// that go on; or, where <paramref name="isAlone"/>, through one that begins anew with each rectangle, so that any viewer may
/// be sent it. Without the gradient filter, which costs more than it gives.
/// </summary>
internal sealed class TightEncoder(int level, IJpegEncoder? jpeg, bool isAlone = false) : IRectEncoder
{
    private const byte Fill = 0x80;
    private const byte ReadFilter = 0x40;
    private const byte PaletteFilter = 1;
    private const byte Jpeg = 0x90;
    private const int MinToCompress = 12;
    private const int MinJpeg = 32 * 32;
    private const int AllColours = 0;
    private const int TwoColours = 1;
    private const int ManyColours = 2;

    // The fourth stream, which goes on for no viewer, with the bit that resets it.
    private const int Anew = (3 << 4) | (1 << 3);

    // zlib's levels for what the protocol numbers 1 to 6: indices gain by the higher ones, colours hardly.
    private static readonly byte[] s_indexLevels = [1, 1, 3, 5, 6, 6, 7];
    private static readonly byte[] s_colourLevels = [1, 1, 2, 2, 3, 4, 6];

    private readonly Deflater?[] _deflaters = new Deflater?[3];
    private readonly OutputBuffer _compressed = new();
    private readonly Palette _palette = new();
    private byte[] _bytes = [];

    public int Number => RfbProtocol.EncodingTight;

    public (int Width, int Height) Grid => (256, 256);

    public bool Encode(PixelBlock block, ViewerFormat format, Loss loss, OutputBuffer to)
    {
        PixelPacker packer = format.Tight;
        int area = block.Width * block.Height;
        int most = Math.Clamp(area / 16, 2, format.Format.BitsPerPixel == 8 ? 2 : Palette.MaxColours);
        if (!_palette.TryGather(block, most))
        {
            if (!loss.IsNone && area >= MinJpeg && format.Format.BitsPerPixel != 8 && TryJpeg(block, loss, to))
            {
                return false;
            }

            Span<byte> bytes = Bytes(area * packer.Size);
            for (int y = 0; y < block.Height; y++)
            {
                packer.Pack(block.Row(y), bytes.Slice(y * block.Width * packer.Size, block.Width * packer.Size));
            }

            to.U8(Control(AllColours));
            Compress(AllColours, bytes, to);
            return true;
        }

        switch (_palette.Count)
        {
            case 1:
                to.U8(Fill);
                packer.Pack(_palette.Colours, to.Take(packer.Size));
                break;
            case 2:
                WritePalette(TwoColours, packer, to);
                Compress(TwoColours, Bits(block), to);
                break;
            default:
                WritePalette(ManyColours, packer, to);
                Compress(ManyColours, Indices(block), to);
                break;
        }

        return true;
    }

    public void Dispose()
    {
        foreach (Deflater? deflater in _deflaters)
        {
            deflater?.Dispose();
        }

        jpeg?.Dispose();
        _compressed.Dispose();
    }

    /// <summary>A length of up to 22 bits in one to three bytes.</summary>
    internal static void WriteLength(int length, OutputBuffer to)
    {
        if (length < 1 << 7)
        {
            to.U8((byte)length);
        }
        else if (length < 1 << 14)
        {
            to.U8((byte)(length | 0x80));
            to.U8((byte)(length >> 7));
        }
        else
        {
            to.U8((byte)(length | 0x80));
            to.U8((byte)((length >> 7) | 0x80));
            to.U8((byte)(length >> 14));
        }
    }

    private bool TryJpeg(PixelBlock block, Loss loss, OutputBuffer to)
    {
        if (jpeg is null)
        {
            return false;
        }

        _compressed.Clear();
        try
        {
            jpeg.Encode(MemoryMarshal.AsBytes(block.Pixels), block.Width, block.Height, block.Stride * Surface.BytesPerPixel, loss.Quality, loss.Subsample, _compressed);
        }
        catch (InvalidOperationException)
        {
            // The library refuses: zlib takes anything.
            return false;
        }

        to.U8(Jpeg);
        WriteLength(_compressed.Length, to);
        to.Bytes(_compressed.Written.Span);
        return true;
    }

    private void WritePalette(int stream, PixelPacker packer, OutputBuffer to)
    {
        to.U8((byte)(Control(stream) | ReadFilter));
        to.U8(PaletteFilter);
        to.U8((byte)(_palette.Count - 1));
        packer.Pack(_palette.Colours, to.Take(_palette.Count * packer.Size));
    }

    private Span<byte> Bits(PixelBlock block)
    {
        int rowLength = (block.Width + 7) / 8;
        Span<byte> bytes = Bytes(rowLength * block.Height);
        bytes.Clear();
        uint first = _palette.Colours[0];
        for (int y = 0; y < block.Height; y++)
        {
            ReadOnlySpan<uint> row = block.Row(y);
            Span<byte> bits = bytes.Slice(y * rowLength, rowLength);
            for (int x = 0; x < row.Length; x++)
            {
                if (row[x] != first)
                {
                    bits[x >> 3] |= (byte)(0x80 >> (x & 7));
                }
            }
        }

        return bytes;
    }

    private Span<byte> Indices(PixelBlock block)
    {
        Span<byte> bytes = Bytes(block.Width * block.Height);
        uint last = _palette.Colours[0];
        byte index = 0;
        for (int y = 0; y < block.Height; y++)
        {
            ReadOnlySpan<uint> row = block.Row(y);
            Span<byte> indices = bytes.Slice(y * block.Width, block.Width);
            for (int x = 0; x < row.Length; x++)
            {
                if (row[x] != last)
                {
                    last = row[x];
                    index = _palette.IndexOf(last);
                }

                indices[x] = index;
            }
        }

        return bytes;
    }

    private void Compress(int stream, ReadOnlySpan<byte> bytes, OutputBuffer to)
    {
        if (bytes.Length < MinToCompress)
        {
            to.Bytes(bytes);
            return;
        }

        _compressed.Clear();
        if (isAlone)
        {
            using var deflater = new Deflater(LevelOf(stream));
            Deflate(deflater, bytes);
        }
        else
        {
            Deflate(_deflaters[stream] ??= new Deflater(LevelOf(stream)), bytes);
        }

        WriteLength(_compressed.Length, to);
        to.Bytes(_compressed.Written.Span);
    }

    private void Deflate(Deflater deflater, ReadOnlySpan<byte> bytes)
    {
        deflater.Target = _compressed;
        deflater.Write(bytes);
        deflater.Flush();
    }

    private int LevelOf(int stream) => (stream == AllColours ? s_colourLevels : s_indexLevels)[level];

    private byte Control(int stream) => (byte)(isAlone ? Anew : stream << 4);

    private Span<byte> Bytes(int length)
    {
        if (_bytes.Length < length)
        {
            _bytes = GC.AllocateUninitializedArray<byte>(Math.Max(length, 256 * 256 * 4));
        }

        return _bytes.AsSpan(0, length);
    }
}
