using System.Buffers.Binary;
using System.Text;

namespace Vgpu.Screens;

/// <summary>
/// EDID of the monitor that a head plays: VESA E-EDID Standard, Release A, Revision 2 (EDID 1.4). The preferred mode is
/// the first detailed timing of the base block; a mode that does not fit there (more than 4,095 pixels each way or
/// 655.35 MHz) is the preferred one of a DisplayID extension, and the base block falls back to 1920x1080.
/// </summary>
public static class Edid
{
    /// <summary>Bytes of the base block and of each extension.</summary>
    public const int BlockSize = 128;

    /// <summary>What desktops show as the monitor's name.</summary>
    public const string MonitorName = "vgpu";

    private const string ManufacturerId = "VGU";
    private const ushort ProductCode = 0x0001;
    private const byte MODEL_YEAR = 0xff;
    private const int ModelYear = 2026;

    private const int DETAILED_TIMING = 54;
    private const int DISPLAY_RANGE_LIMITS = 72;
    private const int DISPLAY_PRODUCT_NAME = 90;
    private const int DUMMY = 108;
    private const int EXTENSION_COUNT = 126;

    // The 12 bits of active pixels and lines, and the 16 of the clock in units of 10 kHz.
    private const int DetailedTimingMaxActive = 4095;
    private const int DetailedTimingMaxClock = 65_535;

    // 96 dots an inch: desktops choose a scale of 1.
    private const int MillimetresPer960Pixels = 254;

    // Millimetres that fit the base block's byte of centimetres; a larger monitor leaves its size undefined.
    private const int SizeMax = 2559;

    // Both bytes of a standard timing that is not there.
    private const byte UnusedTiming = 0x01;

    private static readonly DisplayMode _fallback = new(1920, 1080);

    // Two bytes each (E-EDID 1.4, 3.9): width / 8 - 31, then the aspect ratio and 60 Hz.
    private static readonly (int Width, int Height)[] _standardTimings =
    [
        (1920, 1200), (1920, 1080), (1680, 1050), (1600, 1200), (1440, 900), (1280, 1024), (1280, 800), (1280, 720),
    ];

    /// <summary>
    /// EDID of 128 bytes, or 256 with a DisplayID extension, for a monitor that prefers <paramref name="mode"/>.
    /// <paramref name="head"/> tells the monitors of one vGPU apart (the serial number). Standard timings beyond
    /// <paramref name="max"/> are left out. Throws <see cref="ArgumentOutOfRangeException"/> for a mode that is not valid.
    /// </summary>
    public static byte[] Create(DisplayMode mode, int head = 0, DisplayMode? max = null)
    {
        mode.Validate(nameof(mode));
        CvtTiming preferred = CvtTiming.Of(mode);
        bool fits = mode.Width <= DetailedTimingMaxActive && mode.Height <= DetailedTimingMaxActive
            && preferred.PixelClock <= DetailedTimingMaxClock;
        var edid = new byte[fits ? BlockSize : 2 * BlockSize];
        Span<byte> block = edid.AsSpan(0, BlockSize);
        var identity = new EdidIdentity(ManufacturerId, ProductCode, head + 1, ModelYear);
        WriteHeader(block, identity);
        WriteDisplay(block, mode, fits);
        WriteTimings(block, max ?? new DisplayMode(DisplayMode.MaxSize, DisplayMode.MaxSize));
        WriteDetailedTiming(block.Slice(DETAILED_TIMING, 18), fits ? preferred : CvtTiming.Of(_fallback), mode);
        if (!TryWriteRangeLimits(block.Slice(DISPLAY_RANGE_LIMITS, 18), mode.RefreshHertz, preferred))
        {
            block[DISPLAY_RANGE_LIMITS + 3] = 0x10;
        }

        WriteText(block.Slice(DISPLAY_PRODUCT_NAME, 18), 0xfc, MonitorName);
        block[DUMMY + 3] = 0x10;
        block[EXTENSION_COUNT] = fits ? (byte)0 : (byte)1;
        block[^1] = Checksum(block[..^1]);
        if (!fits)
        {
            DisplayId.WriteExtension(edid.AsSpan(BlockSize), preferred, identity, Millimetres(mode.Width), Millimetres(mode.Height));
        }

        return edid;
    }

    // What makes the sum of all bytes a multiple of 256.
    internal static byte Checksum(ReadOnlySpan<byte> bytes)
    {
        byte sum = 0;
        foreach (byte value in bytes)
        {
            sum += value;
        }

        return (byte)-sum;
    }

    // 3.3 and 3.4: header, vendor and product, version.
    private static void WriteHeader(Span<byte> block, in EdidIdentity identity)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(block, 0x00ffffffffffff00);
        int letters = 0;
        foreach (char letter in identity.ManufacturerId)
        {
            letters = (letters << 5) | (letter - '@');
        }

        BinaryPrimitives.WriteUInt16BigEndian(block[8..], (ushort)letters);
        BinaryPrimitives.WriteUInt16LittleEndian(block[10..], identity.ProductCode);
        BinaryPrimitives.WriteInt32LittleEndian(block[12..], identity.Serial);
        block[16] = MODEL_YEAR;
        block[17] = (byte)(identity.ModelYear - 1990);
        block[18] = 1;
        block[19] = 4;
    }

    // 3.6 and 3.7: digital, 8 bits a colour, DisplayPort; size; gamma 2.2; RGB 4:4:4, sRGB, native mode first.
    private static void WriteDisplay(Span<byte> block, DisplayMode mode, bool preferredIsNative)
    {
        block[20] = 0xa5;
        int across = Millimetres(mode.Width);
        int down = Millimetres(mode.Height);
        if (across <= SizeMax && down <= SizeMax)
        {
            block[21] = (byte)Math.Max(1, across / 10);
            block[22] = (byte)Math.Max(1, down / 10);
        }

        block[23] = 220 - 100;
        block[24] = preferredIsNative ? (byte)0x06 : (byte)0x04;

        // sRGB's primaries and white point, ten bits each: IEC 61966-2-1.
        ReadOnlySpan<byte> srgb = [0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54];
        srgb.CopyTo(block[25..]);
    }

    // 3.8 and 3.9: 640x480, 800x600 and 1024x768 at 60 Hz, then the standard timings.
    private static void WriteTimings(Span<byte> block, DisplayMode max)
    {
        block[35] = 0x21;
        block[36] = 0x08;
        for (int i = 0; i < _standardTimings.Length; i++)
        {
            (int width, int height) = _standardTimings[i];
            if (!new DisplayMode(width, height).IsWithin(max))
            {
                block[38 + (2 * i)] = block[39 + (2 * i)] = UnusedTiming;
                continue;
            }

            int aspect = width * 10 == height * 16 ? 0 : width * 3 == height * 4 ? 1 : width * 4 == height * 5 ? 2 : 3;
            block[38 + (2 * i)] = (byte)((width / 8) - 31);
            block[39 + (2 * i)] = (byte)(aspect << 6);
        }
    }

    // 3.10.2: detailed timing descriptor; digital separate sync, +hsync, -vsync.
    private static void WriteDetailedTiming(Span<byte> descriptor, in CvtTiming timing, DisplayMode native)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(descriptor, (ushort)timing.PixelClock);
        descriptor[2] = (byte)timing.Width;
        descriptor[3] = (byte)timing.HorizontalBlank;
        descriptor[4] = (byte)(((timing.Width >> 8) << 4) | (timing.HorizontalBlank >> 8));
        descriptor[5] = (byte)timing.Height;
        descriptor[6] = (byte)timing.VerticalBlank;
        descriptor[7] = (byte)(((timing.Height >> 8) << 4) | (timing.VerticalBlank >> 8));
        descriptor[8] = (byte)timing.HorizontalFrontPorch;
        descriptor[9] = (byte)timing.HorizontalSync;
        descriptor[10] = (byte)((timing.VerticalFrontPorch << 4) | timing.VerticalSync);
        int across = Millimetres(native.Width);
        int down = Millimetres(native.Height);
        if (across <= SizeMax && down <= SizeMax)
        {
            descriptor[12] = (byte)across;
            descriptor[13] = (byte)down;
            descriptor[14] = (byte)(((across >> 8) << 4) | (down >> 8));
        }

        descriptor[17] = 0x1a;
    }

    // 3.10.3.3: range limits that hold every timing above; false where the fields have no room for the preferred one.
    private static bool TryWriteRangeLimits(Span<byte> descriptor, int refreshHertz, in CvtTiming preferred)
    {
        int highestLine = Math.Max(76, (int)Math.Ceiling(preferred.HorizontalKilohertz));
        int lowestLine = Math.Clamp((int)preferred.HorizontalKilohertz, 1, 30);
        int clock = Math.Max(20, (preferred.PixelClock + 999) / 1000);
        int highestFrame = Math.Max(75, refreshHertz);
        if (highestLine > 510 || clock > 255)
        {
            return false;
        }

        descriptor[3] = 0xfd;
        descriptor[4] = (byte)((highestFrame > 255 ? 0x02 : 0) | (highestLine > 255 ? 0x08 : 0));
        // One less than asked: CVT's clock step rounds the refresh down.
        descriptor[5] = (byte)Math.Max(1, Math.Min(50, refreshHertz - 1));
        descriptor[6] = (byte)(highestFrame > 255 ? highestFrame - 255 : highestFrame);
        descriptor[7] = (byte)lowestLine;
        descriptor[8] = (byte)(highestLine > 255 ? highestLine - 255 : highestLine);
        descriptor[9] = (byte)clock;
        descriptor[10] = 0x01;
        descriptor[11] = (byte)'\n';
        descriptor[12..].Fill((byte)' ');
        return true;
    }

    private static void WriteText(Span<byte> descriptor, byte tag, string text)
    {
        descriptor[3] = tag;
        Span<byte> field = descriptor[5..];
        field.Fill((byte)' ');
        int length = Encoding.ASCII.GetBytes(text, field);
        field[length] = (byte)'\n';
    }

    private static int Millimetres(int pixels) => pixels * MillimetresPer960Pixels / 960;
}
