using System.Diagnostics;
using Vgpu.Screens;

namespace Vgpu.Testing;

/// <summary>An X server without a monitor (Xvfb) with what runs on it, and xdotool's hands; all of it ends with this.</summary>
public sealed class XDisplay : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<Process> _processes = [];

    /// <summary>A screen of this size, of 24 bits.</summary>
    public XDisplay(int width, int height)
    {
        // A number that is free is Xvfb's to choose: it writes it to its standard output.
        Process server = Start("Xvfb", ["-displayfd", "1", "-screen", "0", FormattableString.Invariant($"{width}x{height}x24"), "-nolisten", "tcp"]);
        Name = ":" + server.StandardOutput.ReadLine();
    }

    /// <summary>For <c>DISPLAY</c>.</summary>
    public string Name { get; } = string.Empty;

    /// <summary>Starts a program with a home of its own, which ends with this.</summary>
    public Process Start(string program, IEnumerable<string> arguments, params IEnumerable<(string Name, string Value)> environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DISPLAY"] = Name;
        start.Environment["HOME"] = _folder.File(".");
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        Process process = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        _processes.Add(process);
        return process;
    }

    /// <summary>Starts TigerVNC's viewer over the whole screen, without a picture of its own: pixels are the server's, whichever lossless encoding.</summary>
    /// <param name="address">HOST::PORT.</param>
    /// <param name="password">Null: none is asked for.</param>
    /// <param name="options">Further ones.</param>
    public Process StartTigerVnc(string address, string? password = null, params IEnumerable<string> options) => Start(
        "xtigervncviewer",
        ["-FullScreen", "-Shared", "-AutoSelect=0", "-NoJPEG", "-RemoteResize=0", "-MenuKey=", .. options, address],
        password is null ? [] : [("VNC_PASSWORD", password)]);

    /// <summary>xdotool; it must succeed.</summary>
    public string Do(params IEnumerable<string> words)
    {
        (int status, string output) = TryDo(words);
        Assert.True(status == 0, $"xdotool {string.Join(' ', words)}: {output}");
        return output;
    }

    /// <summary>xdotool: its exit status and what it printed.</summary>
    public (int Status, string Output) TryDo(params IEnumerable<string> words) => Run("xdotool", words);

    /// <summary>What the screen shows; null where that could not be had.</summary>
    public Picture? Screenshot()
    {
        string file = _folder.File("screen.png");
        return Run("import", ["-window", "root", "-depth", "8", $"PNG24:{file}"]).Status == 0 ? ImageFile.Read(file) : null;
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

    private (int Status, string Output) Run(string program, IEnumerable<string> arguments) =>
        Shell.Run("env", ["DISPLAY=" + Name, "timeout", "30", program, .. arguments]);
}
