using System.Buffers.Binary;
using Vgpu.Screens;
using Vgpu.Viewers.Rfb;

namespace Vgpu.Testing.Rfb;

/// <summary>Decodes what the server sends, as the specifications say and with nothing of the server's.</summary>
internal sealed partial class ViewerDecoder(Wire wire) : IDisposable
{
    // The number of rectangles of an update that a LastRect ends.
    private const int Unknown = 0xffff;

    private readonly Inflater _zrle = new();
    private uint[] _pixels = [];

    internal int Width { get; set; }

    internal int Height { get; set; }

    internal RfbPixelFormat Format { get; set; }

    /// <summary>How many rectangles of each encoding came.</summary>
    internal Dictionary<int, int> Counts { get; } = [];

    /// <summary>Of the last update, without the mark of its end.</summary>
    internal int RectsOfLast { get; private set; }

    internal int JpegCount { get; private set; }

    internal List<(Rect Area, uint Flags, byte[] Data)> Films { get; } = [];

    /// <summary>Called once an update's header came, before its rectangles; a viewer may ask for the next one there.</summary>
    internal Action? UpdateBegun { get; set; }

    /// <summary>What a JPEG picture shows, in rows; null: the place stays as it is. Without it: one colour, the average that tests send.</summary>
    internal Func<Rect, byte[], uint[]?>? Jpeg { get; set; }

    /// <summary>The same for H.264 with its flags; the pictures are not kept then.</summary>
    internal Func<Rect, uint, byte[], uint[]?>? Film { get; set; }

    internal long PixelBytes { get; private set; }

    /// <summary>The last of its kind, header and data.</summary>
    internal (int HotX, int HotY, int Width, int Height, byte[] Pixels, byte[] Mask)? Cursor { get; private set; }

    internal List<(int Reason, int Status, int Width, int Height)> Sizes { get; } = [];

    internal int EndsOfContinuousUpdates { get; private set; }

    internal List<(uint Flags, byte[] Payload)> Fences { get; } = [];

    /// <summary>Whether fences that ask are answered.</summary>
    internal bool AnswersFences { get; set; } = true;

    internal uint At(int x, int y) => _pixels[(y * Width) + x];

    // No picture has these values, so what is right has been sent.
    internal void Resize(int width, int height) => (Width, Height, _pixels) = (width, height, [.. Enumerable.Repeat(uint.MaxValue, width * height)]);

    /// <summary>A colour (red, green, blue) in this viewer's format.</summary>
    internal uint ValueOf(uint colour) =>
        (Scale(colour >> 16, Format.RedMax) << Format.RedShift) | (Scale(colour >> 8, Format.GreenMax) << Format.GreenShift) | (Scale(colour, Format.BlueMax) << Format.BlueShift);

    /// <summary>Reads up to the end of the next FramebufferUpdate.</summary>
    internal void ReadUpdate()
    {
        while (ReadMessage() != 0)
        {
        }
    }

    internal byte ReadMessage() => ReadMessage(wire.U8());

    /// <summary>The rest of a message, of which the type has been read.</summary>
    internal byte ReadMessage(byte type)
    {
        switch (type)
        {
            case 0:
                wire.U8();
                int count = wire.U16();
                RectsOfLast = 0;
                UpdateBegun?.Invoke();
                while ((RectsOfLast < count || count == Unknown) && ReadRect())
                {
                    RectsOfLast++;
                }

                break;
            case 150:
                EndsOfContinuousUpdates++;
                break;
            case 248:
                ReadFence();
                break;
            default:
                Assert.Fail($"message {type} came");
                break;
        }

        return type;
    }

    private void ReadFence()
    {
        wire.Bytes(3);
        uint flags = wire.U32();
        byte[] payload = wire.Bytes(wire.U8());
        Fences.Add((flags, payload));
        if ((flags & 0x80000000) != 0 && AnswersFences)
        {
            wire.Send([248, 0, 0, 0, .. Wire.B32(flags & 7), (byte)payload.Length, .. payload]);
        }
    }

    // False for the mark that ends an update of an unknown number of rectangles.
    private bool ReadRect()
    {
        int x = wire.U16(), y = wire.U16(), width = wire.U16(), height = wire.U16();
        int encoding = (int)wire.U32();
        Counts[encoding] = Counts.GetValueOrDefault(encoding) + 1;
        if (encoding is 0 or 1 or 7 or 16)
        {
            Assert.True(width > 0 && height > 0 && x + width <= Width && y + height <= Height, $"{x},{y} {width}x{height} of {Width}x{Height}");
        }

        switch (encoding)
        {
            case 0:
                ReadRaw(x, y, width, height);
                break;
            case 1:
                Copy(wire.U16(), wire.U16(), x, y, width, height);
                break;
            case 7:
                ReadTight(x, y, width, height);
                break;
            case 16:
                ReadZrle(x, y, width, height);
                break;
            case -224:
                return false;
            case 50:
                ReadFilm(new Rect(x, y, width, height));
                break;
            case -223:
                Sizes.Add((0, 0, width, height));
                Resize(width, height);
                break;
            case -308:
                int screens = wire.U8();
                wire.Bytes(3 + (16 * screens));
                Sizes.Add((x, y, width, height));
                if ((x != 1 || y == 0) && (width, height) != (Width, Height))
                {
                    Resize(width, height);
                }

                break;
            case -239:
                Cursor = (x, y, width, height, wire.Bytes(width * height * Format.BytesPerPixel), wire.Bytes((width + 7) / 8 * height));
                break;
            case -314:
                Assert.Equal(0u, wire.U32());
                Cursor = (x, y, width, height, wire.Bytes(width * height * 4), []);
                break;
            case -258:
                // QEMU gives the screen's size.
                Assert.Equal((0, 0), (x, y));
                break;
            default:
                Assert.Fail($"encoding {encoding} came");
                break;
        }

        return true;
    }

    private void ReadRaw(int x, int y, int width, int height)
    {
        int size = Format.BytesPerPixel;
        Span<byte> bytes = wire.Lend(width * height * size);
        PixelBytes += bytes.Length;
        for (int row = 0; row < height; row++)
        {
            Span<uint> pixels = Row(x, y + row, width);
            for (int i = 0; i < width; i++)
            {
                pixels[i] = Value(bytes.Slice(((row * width) + i) * size, size));
            }
        }
    }

    private void Copy(int fromX, int fromY, int x, int y, int width, int height)
    {
        Assert.True(fromX + width <= Width && fromY + height <= Height);
        for (int i = 0; i < height; i++)
        {
            int row = y > fromY ? height - 1 - i : i;
            Row(fromX, fromY + row, width).CopyTo(Row(x, y + row, width));
        }
    }

    private void ReadZrle(int x, int y, int width, int height)
    {
        Span<byte> compressed = wire.Lend((int)wire.U32());
        PixelBytes += compressed.Length;
        _zrle.Feed(compressed);
        for (int ty = 0; ty < height; ty += 64)
        {
            for (int tx = 0; tx < width; tx += 64)
            {
                ReadZrleTile(x + tx, y + ty, Math.Min(64, width - tx), Math.Min(64, height - ty));
            }
        }
    }

    private void ReadZrleTile(int x, int y, int width, int height)
    {
        int kind = _zrle.Take(1)[0];
        int colours = kind & 127;
        uint[] palette = [.. Enumerable.Range(0, colours).Select(_ => CompactPixel())];
        int total = width * height;
        if (kind == 1)
        {
            for (int i = 0; i < total; i++)
            {
                Set(x + (i % width), y + (i / width), palette[0]);
            }
        }
        else if (kind == 0)
        {
            for (int i = 0; i < total; i++)
            {
                Set(x + (i % width), y + (i / width), CompactPixel());
            }
        }
        else if (kind <= 16)
        {
            int bits = colours == 2 ? 1 : colours <= 4 ? 2 : 4;
            for (int row = 0; row < height; row++)
            {
                Span<byte> packed = _zrle.Take(((width * bits) + 7) / 8);
                for (int i = 0; i < width; i++)
                {
                    int shift = 8 - bits - (i * bits % 8);
                    Set(x + i, y + row, palette[(packed[i * bits / 8] >> shift) & ((1 << bits) - 1)]);
                }
            }
        }
        else
        {
            Assert.True(kind >= 128 && kind != 129, $"ZRLE kind {kind}");
            for (int i = 0; i < total;)
            {
                (uint value, int run) = kind == 128 ? (CompactPixel(), Run()) : Indexed(palette);
                Assert.True(i + run <= total);
                for (; run > 0; run--, i++)
                {
                    Set(x + (i % width), y + (i / width), value);
                }
            }
        }
    }

    private (uint Value, int Run) Indexed(uint[] palette)
    {
        int index = _zrle.Take(1)[0];
        return (palette[index & 127], index < 128 ? 1 : Run());
    }

    private int Run()
    {
        int run = 1;
        int part;
        do
        {
            part = _zrle.Take(1)[0];
            run += part;
        }
        while (part == 255);
        return run;
    }

    private uint CompactPixel()
    {
        uint bits = Format.ColourBits;
        bool isShort = Format is { BitsPerPixel: 32, Depth: <= 24 } && ((bits >> 24) == 0 || (bits & 0xff) == 0);
        if (!isShort)
        {
            return Value(_zrle.Take(Format.BytesPerPixel));
        }

        Span<byte> three = _zrle.Take(3);
        bool isLow = (bits >> 24) == 0;
        byte[] four = isLow == Format.IsBigEndian ? [0, .. three] : [.. three, 0];
        return Value(four);
    }

    private void ReadFilm(Rect area)
    {
        int length = (int)wire.U32();
        uint flags = wire.U32();
        byte[] data = wire.Bytes(length);
        PixelBytes += length;
        if (Film is not null)
        {
            Put(area.X, area.Y, area.Width, area.Height, Film(area, flags, data));
            return;
        }

        Films.Add((area, flags, data));
        Fill(area.X, area.Y, area.Width, area.Height, ValueOf(data[1] | ((uint)data[2] << 8) | ((uint)data[3] << 16)));
    }

    private uint Value(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 4 && !Format.IsBigEndian)
        {
            return BinaryPrimitives.ReadUInt32LittleEndian(bytes) & Format.ColourBits;
        }

        uint value = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            value |= (uint)bytes[Format.IsBigEndian ? bytes.Length - 1 - i : i] << (8 * i);
        }

        return value & Format.ColourBits;
    }

    private void Set(int x, int y, uint value) => _pixels[(y * Width) + x] = value;

    private Span<uint> Row(int x, int y, int width) => _pixels.AsSpan((y * Width) + x, width);

    private void Fill(int x, int y, int width, int height, uint value)
    {
        for (int row = 0; row < height; row++)
        {
            Row(x, y + row, width).Fill(value);
        }
    }

    private void Put(int x, int y, int width, int height, uint[]? pixels)
    {
        Assert.True(pixels is null || pixels.Length == width * height);
        for (int i = 0; i < pixels?.Length; i++)
        {
            Set(x + (i % width), y + (i / width), ValueOf(pixels[i]));
        }
    }

    private static uint Scale(uint channel, ushort max) => (((channel & 255) * max) + 127) / 255;

    public void Dispose()
    {
        _zrle.Dispose();
        foreach (Inflater? inflater in _tight)
        {
            inflater?.Dispose();
        }
    }
}
