using System.Diagnostics;
using Vgpu.Host.Codecs;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Viewers.Rfb.Tests;

/// <summary>Debian's viewers, as they are: each shows the picture, pixel for pixel.</summary>
public sealed class RealViewerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<Process> _processes = [];

    [Fact]
    public void Gvnccapture_takes_the_picture()
    {
        using Desk desk = Patterned(1024, 700);
        string file = _folder.File("capture.png");
        // Display numbers: gvnccapture adds 5900.
        int port = desk.Listener.Port;
        (int status, string output) = Shell.Run("timeout", "30", "gvnccapture", $"127.0.0.1::{port}", file);
        if (status != 0)
        {
            (status, output) = Shell.Run("timeout", "30", "gvnccapture", $"127.0.0.1:{port - 5900}", file);
        }

        Assert.True(status == 0, output + string.Join('\n', desk.Log.Lines));
        AssertSame(desk, file);
    }

    [Fact]
    public void Vncsnapshot_of_RFB_3_3_takes_the_picture()
    {
        using Desk desk = Patterned(800, 600);
        string file = _folder.File("snapshot.jpg");
        (int status, string output) = Shell.Run("timeout", "30", "vncsnapshot", "-quality", "100", "-encodings", "tight", "-nojpeg", $"127.0.0.1:{desk.Listener.Port - 5900}", file);
        Assert.True(status == 0, output + string.Join('\n', desk.Log.Lines));

        // It writes JPEG only: near, not the same.
        Picture picture = Read(file);
        Assert.Equal((800, 600), (picture.Width, picture.Height));
        long off = 0;
        for (int i = 0; i < 800 * 600; i++)
        {
            off += Math.Abs(picture.Pixels.Span[(i * 4) + 1] - (int)((desk.At(i % 800, i / 800) >> 8) & 255));
        }

        Assert.InRange(off / (800.0 * 600), 0, 4);
    }

    [Theory]
    [InlineData("Raw")]
    [InlineData("ZRLE")]
    [InlineData("Tight")]
    public void TigerVNC_shows_the_picture_and_types(string encoding)
    {
        using Desk desk = Patterned(800, 600);
        string display = StartDisplay(800, 600);
        Start(display, "xtigervncviewer", "-FullScreen", "-Shared", "-AutoSelect=0", $"-PreferredEncoding={encoding}", "-NoJPEG", "-RemoteResize=0",
            "-MenuKey=", $"127.0.0.1::{desk.Listener.Port}");
        Shows(desk, display);

        // What moves is followed too.
        var random = new Random(9);
        desk.Scroll(new Rect(0, 0, 800, 600), 40);
        for (int i = 0; i < 20; i++)
        {
            desk.Scribble(random, desk.AnyRect(random));
        }

        Shows(desk, display);
        Assert.Equal(0, Run(display, "xdotool", "mousemove", "100", "50", "click", "1", "key", "x").Status);
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
        string display = StartDisplay(800, 600);
        Start(display, "xtigervncviewer", "-FullScreen", "-Shared", "-AutoSelect=0", "-PreferredEncoding=Tight", "-QualityLevel=8", "-RemoteResize=0",
            "-MenuKey=", $"127.0.0.1::{desk.Listener.Port}");
        Shows(desk, display);
        for (int i = 0; i < 30; i++)
        {
            desk.Photograph(new Rect(100, 100, 500, 400), i);
        }

        desk.Shift(desk.Surface.Bounds, 30);
        Shows(desk, display);
    }

    public void Dispose()
    {
        foreach (Process process in Enumerable.Reverse(_processes))
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }

        _folder.Dispose();
    }

    private static Desk Patterned(int width, int height)
    {
        var desk = new Desk(width, height);
        desk.ScribbleAll(new Random(width));
        return desk;
    }

    private void Shows(Desk desk, string display)
    {
        string file = _folder.File("screen.png");
        string state = string.Empty;
        Workplace.Eventually(
            () =>
            {
                (int status, state) = Run(display, "import", "-window", "root", "-depth", "8", $"PNG24:{file}");
                return status == 0 && Same(desk, Read(file));
            },
            $"TigerVNC never showed it: {string.Join('\n', desk.Log.Lines)}");
        Assert.Equal(string.Empty, state);
    }

    // A number that is free is Xvfb's to choose: it writes it to its standard output.
    private string StartDisplay(int width, int height)
    {
        Process server = Start(string.Empty, "Xvfb", "-displayfd", "1", "-screen", "0", FormattableString.Invariant($"{width}x{height}x24"), "-nolisten", "tcp");
        return ":" + server.StandardOutput.ReadLine();
    }

    private Process Start(string display, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DISPLAY"] = display;
        start.Environment["HOME"] = _folder.File(".");
        Process process = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        _processes.Add(process);
        return process;
    }

    private static (int Status, string Output) Run(string display, string program, params string[] arguments) =>
        Shell.Run("env", [$"DISPLAY={display}", "timeout", "20", program, .. arguments]);

    private Picture Read(string file)
    {
        string plain = _folder.File("plain.png");
        (int status, string output) = Shell.Run("convert", file, "-depth", "8", $"PNG24:{plain}");
        Assert.True(status == 0, output);
        return PngReader.Read(File.ReadAllBytes(plain));
    }

    private void AssertSame(Desk desk, string file) => Assert.True(Same(desk, Read(file)), "another picture");

    private static bool Same(Desk desk, Picture picture)
    {
        if ((picture.Width, picture.Height) != (desk.Surface.Width, desk.Surface.Height))
        {
            return false;
        }

        for (int i = 0; i < picture.Width * picture.Height; i++)
        {
            uint pixel = BitConverter.ToUInt32(picture.Pixels.Span[(i * 4)..]) & 0xffffff;
            if (pixel != desk.At(i % picture.Width, i / picture.Width))
            {
                return false;
            }
        }

        return true;
    }
}
