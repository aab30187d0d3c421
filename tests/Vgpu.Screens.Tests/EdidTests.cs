using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;

namespace Vgpu.Screens.Tests;

// EDID field by field (VESA E-EDID 1.4; DisplayID 1.3), and as edid-decode reads it where that is installed.
public sealed class EdidTests
{
    public static TheoryData<int, int, int> Modes => new()
    {
        { 640, 480, 60 }, { 800, 600, 60 }, { 1024, 768, 60 }, { 1280, 720, 60 }, { 1366, 768, 60 }, { 1920, 1080, 60 },
        { 1920, 1200, 60 }, { 2560, 1440, 144 }, { 3840, 2160, 60 }, { 4095, 2160, 30 }, { 641, 479, 75 },
        { 3840, 2160, 120 }, { 4096, 2160, 60 }, { 5120, 2880, 60 }, { 7680, 4320, 60 }, { 16384, 16384, 60 }, { 1080, 4096, 60 },
        { 1, 1, 1 }, { 16384, 16384, 360 }, { 64, 64, 360 }, { 64, 64, 60 },
    };

    [Theory]
    [MemberData(nameof(Modes))]
    public void Every_block_adds_up_and_says_who_it_is(int width, int height, int refresh)
    {
        byte[] edid = Edid.Create(new DisplayMode(width, height, refresh), head: 2);

        Assert.Equal(edid.Length / Edid.BlockSize - 1, edid[126]);
        foreach (byte[] block in edid.Chunk(Edid.BlockSize))
        {
            Assert.Equal(Edid.BlockSize, block.Length);
            Assert.Equal(0, block.Sum(b => b) & 0xff);
        }

        Assert.Equal([0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00], edid[..8]);
        int letters = BinaryPrimitives.ReadUInt16BigEndian(edid.AsSpan(8));
        Assert.Equal("VGU", string.Concat(new[] { 10, 5, 0 }.Select(shift => (char)('@' + ((letters >> shift) & 31)))));
        Assert.Equal(3, BinaryPrimitives.ReadInt32LittleEndian(edid.AsSpan(12)));
        Assert.Equal([1, 4], edid[18..20]);
        Assert.Equal(0xfc, edid[93]);
        Assert.Equal("vgpu\n        ", Encoding.ASCII.GetString(edid, 95, 13));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void Preferred_timing_is_the_mode_that_was_asked_for(int width, int height, int refresh)
    {
        byte[] edid = Edid.Create(new DisplayMode(width, height, refresh));

        var timing = edid.Length == Edid.BlockSize ? Detailed(edid.AsSpan(54, 18)) : TypeOne(edid.AsSpan(Edid.BlockSize));
        Assert.Equal((width, height), (timing.Width, timing.Height));
        Assert.Equal((160, 48, 32, 3), (timing.HBlank, timing.HFront, timing.HSync, timing.VFront));
        Assert.True(timing.VBlank >= timing.VFront + timing.VSync + 6);
        double hertz = timing.Clock * 10_000.0 / ((width + timing.HBlank) * (double)(height + timing.VBlank));
        if (timing.Clock > 100)
        {
            Assert.InRange(hertz, refresh * 0.99, refresh);
        }

        // CVT: at least 460 microseconds of vertical blanking, so that no real monitor would be asked too much.
        Assert.True(timing.VBlank / hertz / (height + timing.VBlank) > 0.000_459 || timing.Clock <= 100);
    }

    [Fact]
    public void Known_timings_are_those_of_CVT()
    {
        // By its formula: 1920x1080R 138.50 MHz 2080 x 1111; 3840x2160R 533.25 MHz 4000 x 2222; 1280x800R 71.00 MHz 1440 x 823.
        Assert.Equal((13_850, 2080, 1111, 5), Totals(new DisplayMode(1920, 1080)));
        Assert.Equal((53_325, 4000, 2222, 5), Totals(new DisplayMode(3840, 2160)));
        Assert.Equal((7_100, 1440, 823, 6), Totals(new DisplayMode(1280, 800)));
        Assert.Equal((5_600, 1184, 790, 4), Totals(new DisplayMode(1024, 768)));
        Assert.Equal((9_100, 1440, 1054, 7), Totals(new DisplayMode(1280, 1024)));

        static (int, int, int, int) Totals(DisplayMode mode)
        {
            CvtTiming timing = CvtTiming.Of(mode);
            return (timing.PixelClock, timing.HorizontalTotal, timing.VerticalTotal, timing.VerticalSync);
        }
    }

    [Theory]
    [InlineData(4095, 4095, 30, 1)]
    [InlineData(4096, 64, 30, 2)]
    [InlineData(64, 4096, 30, 2)]
    [InlineData(3840, 2160, 60, 1)]
    [InlineData(3840, 2160, 120, 2)]
    [InlineData(5120, 2880, 60, 2)]
    public void Extension_is_there_where_the_base_block_has_no_room(int width, int height, int refresh, int blocks)
    {
        byte[] edid = Edid.Create(new DisplayMode(width, height, refresh));

        Assert.Equal(blocks, edid.Length / Edid.BlockSize);
        var first = Detailed(edid.AsSpan(54, 18));
        Assert.Equal(blocks == 1 ? (width, height) : (1920, 1080), (first.Width, first.Height));
        Assert.Equal(blocks == 1 ? 0x06 : 0x04, edid[24]);
    }

    [Theory]
    [InlineData(1920, 1080, 50, 28, 508, 285)]
    [InlineData(1366, 768, 36, 20, 361, 203)]
    [InlineData(1, 1, 1, 1, 0, 0)]
    [InlineData(4095, 64, 108, 1, 1083, 16)]
    [InlineData(5120, 2880, 135, 76, 1354, 762)]
    [InlineData(16384, 64, 0, 0, 0, 0)]
    public void Size_is_that_of_96_dots_an_inch(int width, int height, int across, int down, int millimetresAcross, int millimetresDown)
    {
        byte[] edid = Edid.Create(new DisplayMode(width, height));

        Assert.Equal((across, down), (edid[21], edid[22]));
        Assert.Equal((millimetresAcross, millimetresDown), (edid[66] | ((edid[68] & 0xf0) << 4), edid[67] | ((edid[68] & 0x0f) << 8)));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void Range_limits_hold_the_preferred_timing_or_are_left_out(int width, int height, int refresh)
    {
        byte[] edid = Edid.Create(new DisplayMode(width, height, refresh));
        CvtTiming timing = CvtTiming.Of(new DisplayMode(width, height, refresh));
        Span<byte> limits = edid.AsSpan(72, 18);
        if (limits[3] == 0x10)
        {
            Assert.True(timing.PixelClock > 255_000 || timing.HorizontalKilohertz > 510);
            Assert.True(limits[4..].IndexOfAnyExcept((byte)0) < 0);
            return;
        }

        Assert.Equal(0xfd, limits[3]);
        double frames = timing.PixelClock * 10_000.0 / (timing.HorizontalTotal * (double)timing.VerticalTotal);
        Assert.InRange(frames, timing.PixelClock > 100 ? limits[5] : 0, limits[6] + ((limits[4] & 2) != 0 ? 255 : 0) + 1);
        Assert.InRange(Math.Max(1, timing.HorizontalKilohertz), limits[7], limits[8] + ((limits[4] & 8) != 0 ? 255 : 0));
        Assert.InRange(timing.PixelClock, 1, limits[9] * 1000);
    }

    [Fact]
    public void Standard_timings_read_back_as_common_sizes()
    {
        byte[] edid = Edid.Create(new DisplayMode(1024, 768));

        var sizes = new List<string>();
        for (int i = 38; i < 54; i += 2)
        {
            int width = (edid[i] + 31) * 8;
            int height = (edid[i + 1] >> 6) switch { 0 => width * 10 / 16, 1 => width * 3 / 4, 2 => width * 4 / 5, _ => width * 9 / 16 };
            Assert.Equal(60, (edid[i + 1] & 0x3f) + 60);
            sizes.Add($"{width}x{height}");
        }

        Assert.Equal(["1920x1200", "1920x1080", "1680x1050", "1600x1200", "1440x900", "1280x1024", "1280x800", "1280x720"], sizes);
        Assert.Equal([0x21, 0x08, 0x00], edid[35..38]);
    }

    [Theory]
    [InlineData(0, 1, 60)]
    [InlineData(1, 16385, 60)]
    [InlineData(800, 600, 0)]
    [InlineData(800, 600, 361)]
    public void Modes_out_of_range_are_refused(int width, int height, int refresh) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Edid.Create(new DisplayMode(width, height, refresh)));

    // edid-decode takes a clock below 10 MHz for a corrupt one: no monitor has so small a mode.
    public static IEnumerable<TheoryDataRow<int, int, int>> ModesOfMonitors => Modes.Where(row => row.Data.Item1 * row.Data.Item2 * row.Data.Item3 >= 5_000_000);

    [Theory]
    [MemberData(nameof(ModesOfMonitors))]
    public void Edid_decode_finds_no_fault(int width, int height, int refresh)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/edid-decode"), "edid-decode is not installed");
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/edid-decode", "--check") { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        process.StandardInput.BaseStream.Write(Edid.Create(new DisplayMode(width, height, refresh)));
        process.StandardInput.Close();
        string report = process.StandardOutput.ReadToEnd();
        process.WaitForExit();

        Assert.Contains($"{width}x{height}", report, StringComparison.Ordinal);
        Assert.Contains("EDID conformity: PASS", report, StringComparison.Ordinal);
        if (report.Contains("DisplayID", StringComparison.Ordinal))
        {
            Assert.Contains($"Display native pixel format: {width}x{height}", report, StringComparison.Ordinal);
            Assert.Contains("Interface Type: DisplayPort", report, StringComparison.Ordinal);
        }

        // The only warning: the three letters are in no registry.
        int warnings = report.IndexOf("Warnings:", StringComparison.Ordinal);
        string[] lines = warnings < 0 ? [] : report[warnings..].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines.Where(line => line.StartsWith("  ", StringComparison.Ordinal)), line => Assert.Contains("Unknown OUI", line, StringComparison.Ordinal));
    }

    private static (int Clock, int Width, int HBlank, int HFront, int HSync, int Height, int VBlank, int VFront, int VSync) Detailed(Span<byte> d) =>
        (BinaryPrimitives.ReadUInt16LittleEndian(d), d[2] | ((d[4] & 0xf0) << 4), d[3] | ((d[4] & 15) << 8),
            d[8] | ((d[11] & 0xc0) << 2), d[9] | ((d[11] & 0x30) << 4),
            d[5] | ((d[7] & 0xf0) << 4), d[6] | ((d[7] & 15) << 8), (d[10] >> 4) | ((d[11] & 12) << 2), (d[10] & 15) | ((d[11] & 3) << 4));

    private static (int Clock, int Width, int HBlank, int HFront, int HSync, int Height, int VBlank, int VFront, int VSync) TypeOne(Span<byte> block)
    {
        Assert.Equal(0x70, block[0]);
        int length = block[2];
        byte sum = 0;
        foreach (byte value in block.Slice(1, length + 5))
        {
            sum += value;
        }

        Assert.Equal(0, sum);
        int at = 5;
        while (block[at] != 0x03)
        {
            at += 3 + block[at + 2];
        }

        Assert.Equal(20, block[at + 2]);
        Span<byte> d = block.Slice(at + 3, 20);
        Assert.Equal(0x80, d[3] & 0x80);
        return ((d[0] | (d[1] << 8) | (d[2] << 16)) + 1, Word(d, 4), Word(d, 6), Word(d, 8), Word(d, 10), Word(d, 12), Word(d, 14), Word(d, 16), Word(d, 18));

        static int Word(Span<byte> d, int at) => (BinaryPrimitives.ReadUInt16LittleEndian(d[at..]) & (at is 8 or 16 ? 0x7fff : 0xffff)) + 1;
    }
}
