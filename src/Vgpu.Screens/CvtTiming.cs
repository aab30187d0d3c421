namespace Vgpu.Screens;

/// <summary>
/// A video timing by VESA's Coordinated Video Timings 1.2 with reduced blanking version 1: +hsync, -vsync. Any width is
/// kept as it is, where CVT would round it to a multiple of 8.
/// </summary>
/// <param name="PixelClock">In units of 10 kHz, at least 1.</param>
/// <param name="Width">Pixels shown.</param>
/// <param name="HorizontalBlank">Pixels.</param>
/// <param name="HorizontalFrontPorch">Pixels.</param>
/// <param name="HorizontalSync">Pixels.</param>
/// <param name="Height">Lines shown.</param>
/// <param name="VerticalBlank">Lines.</param>
/// <param name="VerticalFrontPorch">Lines.</param>
/// <param name="VerticalSync">Lines; tells the aspect ratio.</param>
internal readonly record struct CvtTiming(
    int PixelClock,
    int Width,
    int HorizontalBlank,
    int HorizontalFrontPorch,
    int HorizontalSync,
    int Height,
    int VerticalBlank,
    int VerticalFrontPorch,
    int VerticalSync)
{
    private const int RB_H_BLANK = 160;
    private const int RB_H_SYNC = 32;
    private const int RB_H_FPORCH = 48;
    private const int RB_V_FPORCH = 3;
    private const int RB_MIN_V_BPORCH = 6;
    private const double RB_MIN_V_BLANK_MICROSECONDS = 460;

    // Below this CVT's clock step of 250 kHz would move the refresh by a per cent and more: the timing's own unit is used.
    private const int CoarseClock = 25_00;
    private const int CLOCK_STEP = 25;

    internal int HorizontalTotal => Width + HorizontalBlank;

    internal int VerticalTotal => Height + VerticalBlank;

    /// <summary>Lines a second, in kHz.</summary>
    internal double HorizontalKilohertz => PixelClock * 10.0 / HorizontalTotal;

    internal static CvtTiming Of(DisplayMode mode)
    {
        int sync = VerticalSyncOf(mode.Width, mode.Height);
        double linePeriod = ((1_000_000.0 / mode.RefreshHertz) - RB_MIN_V_BLANK_MICROSECONDS) / mode.Height;
        int blank = Math.Max((int)(RB_MIN_V_BLANK_MICROSECONDS / linePeriod) + 1, RB_V_FPORCH + sync + RB_MIN_V_BPORCH);
        long clock = (long)mode.RefreshHertz * (mode.Height + blank) * (mode.Width + RB_H_BLANK) / 10_000;
        clock = clock < CoarseClock ? Math.Max(clock, 1) : clock / CLOCK_STEP * CLOCK_STEP;
        return new CvtTiming((int)clock, mode.Width, RB_H_BLANK, RB_H_FPORCH, RB_H_SYNC, mode.Height, blank, RB_V_FPORCH, sync);
    }

    private static int VerticalSyncOf(int width, int height) =>
        Is(width, height, 4, 3) ? 4
        : Is(width, height, 16, 9) ? 5
        : Is(width, height, 16, 10) ? 6
        : Is(width, height, 5, 4) || Is(width, height, 15, 9) ? 7
        : 10;

    // As CVT has it: the width that the ratio gives, in cells of 8.
    private static bool Is(int width, int height, int across, int down) =>
        width / 8 * 8 == height * across / down / 8 * 8;
}
