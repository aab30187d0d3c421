using System.Diagnostics;
using System.Globalization;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Viewers.Spice.Tests;

/// <summary>remote-viewer (virt-viewer) on an X server of its own (Xvfb), with xdotool's hands.</summary>
internal sealed class RemoteViewer : IDisposable
{
    private const int Tries = 60;
    private readonly Process _x;
    private readonly Process _viewer;
    private readonly string _display;
    private readonly TemporaryFolder _home = new();

    public RemoteViewer(string uri)
    {
        _x = Process.Start(new ProcessStartInfo("Xvfb", ["-displayfd", "1", "-screen", "0", "1024x768x24", "-nolisten", "tcp"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _x.ErrorDataReceived += (_, _) => { };
        _x.BeginErrorReadLine();
        _display = ":" + _x.StandardOutput.ReadLine();
        var start = new ProcessStartInfo("remote-viewer", [uri]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DISPLAY"] = _display;
        start.Environment["HOME"] = Path.GetDirectoryName(_home.File("x"));
        start.Environment["NO_AT_BRIDGE"] = "1";
        start.Environment["GSETTINGS_BACKEND"] = "memory";
        _viewer = Process.Start(start)!;
        _viewer.ErrorDataReceived += (_, line) => Said.Write(line.Data);
        _viewer.OutputDataReceived += (_, line) => Said.Write(line.Data);
        _viewer.BeginErrorReadLine();
        _viewer.BeginOutputReadLine();
    }

    public Lines Said { get; } = new();

    /// <summary>xdotool: exit status and output.</summary>
    public (int Status, string Output) Do(params IEnumerable<string> words) => Shell.Run("env", ["DISPLAY=" + _display, "timeout", "10", "xdotool", .. words]);

    /// <summary>The window of the screen, once it is there.</summary>
    public string Window()
    {
        (_, string output) = Do("search", "--sync", "--onlyvisible", "--name", "desk");
        return output.Split('\n')[0];
    }

    /// <summary>Does it again and again until the guest has heard such an event.</summary>
    public InputEvent DoUntil(RecordingSink input, Predicate<InputEvent> isIt, params string[] words)
    {
        for (int i = 0; i < Tries; i++)
        {
            Do(words);
            if (input.TryWait(isIt, 500, out InputEvent? found))
            {
                return found.Value;
            }
        }

        throw new InvalidOperationException($"never heard of {string.Join(' ', words)}; but: {input}\n{Said}");
    }

    /// <summary>Waits until the screen, all of which has this colour, is seen.</summary>
    public void WaitFor(string colour)
    {
        for (int i = 0; i < Tries; i++)
        {
            if (Shows(200, 180, colour) || Shows(250, 220, colour) || Shows(160, 140, colour))
            {
                return;
            }
        }

        Assert.Fail($"never seen: {colour}\n{Said}");
    }

    // Whether the X server shows this colour there.
    private bool Shows(int x, int y, string colour)
    {
        (_, string output) = Shell.Run("timeout", "10", "import", "-display", _display, "-window", "root", "-crop", string.Create(CultureInfo.InvariantCulture, $"1x1+{x}+{y}"), "-depth", "8", "txt:-");
        return output.Contains(colour, StringComparison.OrdinalIgnoreCase);
    }

    public void Signal(string name) => Shell.Run("kill", "-" + name, _viewer.Id.ToString(CultureInfo.InvariantCulture));

    public void Dispose()
    {
        foreach (Process process in (Process[])[_viewer, _x])
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }

        _home.Dispose();
    }
}
