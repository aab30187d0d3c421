using System.Diagnostics;
using System.Net;
using Vgpu.Screens;

namespace Vgpu.Testing;

/// <summary>Debian's programs that take one picture of a VNC server's screen.</summary>
public static class VncCapture
{
    private const int FirstPort = 5900;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);

    /// <summary>gvnccapture (RFB 3.8): pixel for pixel.</summary>
    public static Picture Gvnccapture(int port, string? password = null)
    {
        Picture? seen = TryGvnccapture(new IPEndPoint(IPAddress.Loopback, port), password, out string said);
        Assert.True(seen is not null, said);
        return seen;
    }

    /// <summary>The same; null where it was refused. <paramref name="said"/>: what it printed, its question for the password too.</summary>
    public static Picture? TryGvnccapture(IPEndPoint at, string? password, out string said)
    {
        using var folder = new TemporaryFolder();
        string file = folder.File("capture.png");
        (bool isDone, said) = Run("gvnccapture", [$"{at.Address}:{at.Port - FirstPort}", file], password);
        return isDone ? ImageFile.Read(file) : null;
    }

    /// <summary>vncsnapshot (RFB 3.3) with pixels as they are, saved by it as a JPEG picture of its highest quality: near, not the same.</summary>
    public static Picture Vncsnapshot(int port, string? password = null)
    {
        using var folder = new TemporaryFolder();
        string file = folder.File("snapshot.jpg");
        (bool isDone, string said) = Run("vncsnapshot", ["-quality", "100", "-encodings", "tight", "-nojpeg", $"127.0.0.1:{port - FirstPort}", file], password);
        Assert.True(isDone, said);
        return ImageFile.Read(file);
    }

    private static (bool IsDone, string Said) Run(string program, string[] arguments, string? password)
    {
        // Both ask for the password at a terminal, which script(1) is; only a process in its foreground may read there.
        string command = $"timeout --foreground 45 {program} {string.Join(' ', arguments)}";
        var start = new ProcessStartInfo("script", ["--quiet", "--return", "--command", command, "/dev/null"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["SHELL"] = "/bin/sh";
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        var clock = Stopwatch.StartNew();
        while (!process.WaitForExit(s_pause) && clock.Elapsed < s_patience)
        {
            // What is typed before a program has turned the echo off is thrown away by the terminal.
            Type(process, password ?? string.Empty);
        }

        return (process.HasExited && process.ExitCode == 0, $"{program}: {errors.Result}{output.Result}");
    }

    private static void Type(Process process, string line)
    {
        try
        {
            process.StandardInput.WriteLine(line);
            process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It has ended.
        }
    }
}
