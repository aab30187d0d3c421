using Vgpu.Screens;

namespace Vgpu.Testing.Rfb;

// Tight, of the community's rfbproto.
internal sealed partial class ViewerDecoder
{
    private readonly Inflater?[] _tight = new Inflater?[4];

    private void ReadTight(int x, int y, int width, int height)
    {
        Assert.True(width <= 2048);
        byte control = wire.U8();
        for (int i = 0; i < 4; i++)
        {
            if ((control & (1 << i)) != 0)
            {
                _tight[i] = null;
            }
        }

        int kind = control >> 4;
        if (kind == 8)
        {
            Fill(x, y, width, height, TightPixel(wire.Bytes(TightSize)));
            return;
        }

        if (kind == 9)
        {
            byte[] picture = wire.Bytes(CompactLength());
            JpegCount++;
            PixelBytes += picture.Length;
            if (Jpeg is null)
            {
                Fill(x, y, width, height, ValueOf(picture[0] | ((uint)picture[1] << 8) | ((uint)picture[2] << 16)));
            }
            else
            {
                Put(x, y, width, height, Jpeg(new Rect(x, y, width, height), picture));
            }

            return;
        }

        Assert.True(kind < 8, $"Tight kind {kind}");
        int filter = (kind & 4) != 0 ? wire.U8() : 0;
        if (filter == 1)
        {
            int colours = wire.U8() + 1;
            Span<uint> palette = stackalloc uint[256];
            for (int i = 0; i < colours; i++)
            {
                palette[i] = TightPixel(wire.Lend(TightSize));
            }

            int rowLength = colours == 2 ? (width + 7) / 8 : width;
            Span<byte> indices = TightData(kind & 3, rowLength * height);
            for (int row = 0; row < height; row++)
            {
                Span<uint> pixels = Row(x, y + row, width);
                ReadOnlySpan<byte> line = indices.Slice(row * rowLength, rowLength);
                for (int i = 0; i < width; i++)
                {
                    pixels[i] = palette[colours == 2 ? (line[i >> 3] >> (7 - (i & 7))) & 1 : line[i]];
                }
            }

            return;
        }

        int size = TightSize;
        Span<byte> bytes = TightData(kind & 3, width * height * size);
        if (filter == 2)
        {
            Assert.Equal(3, size);
            TightGradient.Undo(bytes, width * size);
        }
        else
        {
            Assert.Equal(0, filter);
        }

        for (int row = 0; row < height; row++)
        {
            Span<uint> pixels = Row(x, y + row, width);
            ReadOnlySpan<byte> line = bytes.Slice(row * width * size, width * size);
            for (int i = 0; i < pixels.Length; i++)
            {
                pixels[i] = TightPixel(line[..size]);
                line = line[size..];
            }
        }
    }

    private Span<byte> TightData(int stream, int length)
    {
        if (length < 12)
        {
            return wire.Lend(length);
        }

        int compressed = CompactLength();
        PixelBytes += compressed;
        Inflater inflater = _tight[stream] ??= new Inflater();
        inflater.Feed(wire.Lend(compressed));
        return inflater.Take(length);
    }

    private int CompactLength()
    {
        int length = 0;
        for (int i = 0; i < 3; i++)
        {
            byte part = wire.U8();
            length |= (i == 2 ? part : part & 127) << (7 * i);
            if (part < 128)
            {
                break;
            }
        }

        return length;
    }

    private int TightSize => Format.Is888 ? 3 : Format.BytesPerPixel;

    private uint TightPixel(ReadOnlySpan<byte> bytes) => Format.Is888
        ? ((uint)bytes[0] << Format.RedShift) | ((uint)bytes[1] << Format.GreenShift) | ((uint)bytes[2] << Format.BlueShift)
        : Value(bytes);
}
