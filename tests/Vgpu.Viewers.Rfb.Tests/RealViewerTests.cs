using Vgpu.Host.Codecs;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Viewers.Rfb.Tests;

/// <summary>Debian's viewers, as they are: each shows the picture, pixel for pixel.</summary>
public sealed class RealViewerTests
{
    [Fact]
    public void Gvnccapture_takes_the_picture()
    {
        using Desk desk = Patterned(1024, 700);
        PictureAssert.Same(Shown(desk), VncCapture.Gvnccapture(desk.Listener.Port));
    }

    [Fact]
    public void Vncsnapshot_of_RFB_3_3_takes_the_picture()
    {
        using Desk desk = Patterned(800, 600);
        PictureAssert.Near(Shown(desk), VncCapture.Vncsnapshot(desk.Listener.Port));
    }

    [Theory]
    [InlineData("Raw")]
    [InlineData("ZRLE")]
    [InlineData("Tight")]
    public void TigerVNC_shows_the_picture_and_types(string encoding)
    {
        using Desk desk = Patterned(800, 600);
        using var display = new XDisplay(800, 600);
        display.StartTigerVnc($"127.0.0.1::{desk.Listener.Port}", null, $"-PreferredEncoding={encoding}");
        AssertShows(display, desk);

        // What moves is followed too.
        var random = new Random(9);
        desk.Scroll(new Rect(0, 0, 800, 600), 40);
        for (int i = 0; i < 20; i++)
        {
            desk.Scribble(random, desk.AnyRect(random));
        }

        AssertShows(display, desk);
        display.Do("mousemove", "100", "50", "click", "1", "key", "x");
        Workplace.Eventually(
            () => desk.Input.Reports.Any(report => report[0] == InputEvent.Key(45, true)) && desk.Input.Reports.Any(report => report.Contains(InputEvent.Button(0x110, true))),
            "keys and clicks never came: " + string.Join('\n', desk.Log.Lines));
    }

    // As it comes: Tight with JPEG for what has many colours, and the exact picture a moment later.
    [Fact]
    public void TigerVNC_with_JPEG_shows_the_exact_picture_of_what_stays()
    {
        using var desk = new Desk(800, 600, new RfbServerOptions { Name = "desk", Codecs = PictureCodecs.Host });
        desk.Photograph(desk.Surface.Bounds, 0);
        using var display = new XDisplay(800, 600);
        display.StartTigerVnc($"127.0.0.1::{desk.Listener.Port}", null, "-NoJPEG=0", "-PreferredEncoding=Tight", "-QualityLevel=8");
        AssertShows(display, desk);
        for (int i = 0; i < 30; i++)
        {
            desk.Photograph(new Rect(100, 100, 500, 400), i);
        }

        desk.Shift(desk.Surface.Bounds, 30);
        AssertShows(display, desk);
    }

    private static Desk Patterned(int width, int height)
    {
        var desk = new Desk(width, height);
        desk.ScribbleAll(new Random(width));
        return desk;
    }

    private static Picture Shown(Desk desk) => desk.Head.Capture(withCursor: false)!;

    private static void AssertShows(XDisplay display, Desk desk) => Workplace.Eventually(
        () => display.Screenshot() is { } seen && PictureAssert.AreSame(Shown(desk), seen),
        $"TigerVNC never showed it: {string.Join('\n', desk.Log.Lines)}");
}
