using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Vgpu.Screens;

namespace Vgpu.Testing;

/// <summary>remote-viewer (virt-viewer) on an X server of its own (Xvfb), with xdotool's hands.</summary>
public sealed class RemoteViewer : IDisposable
{
    private const int Tries = 60;
    private static readonly (int X, int Y)[] s_places = [(200, 180), (250, 220), (160, 140)];

    private readonly XDisplay _display = new(1024, 768);
    private readonly Process _viewer;

    public RemoteViewer(string uri)
    {
        _viewer = _display.Start("remote-viewer", [uri], ("NO_AT_BRIDGE", "1"), ("GSETTINGS_BACKEND", "memory"));
        _viewer.ErrorDataReceived += (_, line) => Said.Write(line.Data);
        _viewer.OutputDataReceived += (_, line) => Said.Write(line.Data);
        _viewer.BeginOutputReadLine();
    }

    public Lines Said { get; } = new();

    /// <summary>xdotool: exit status and output.</summary>
    public (int Status, string Output) Do(params IEnumerable<string> words) => _display.TryDo(words);

    /// <summary>The window of the screen, whose name has this in it, once it is there.</summary>
    public string Window(string name = "desk")
    {
        (_, string output) = Do("search", "--sync", "--onlyvisible", "--name", name);
        return output.Split('\n')[0];
    }

    /// <summary>Does it again and again, as a window that has just come does not hear all, until <paramref name="isHeard"/>.</summary>
    public void DoUntil(Func<bool> isHeard, Func<string> heard, params string[] words)
    {
        for (int i = 0; i < Tries; i++)
        {
            Do(words);
            if (isHeard())
            {
                return;
            }
        }

        Assert.Fail($"never heard of {string.Join(' ', words)}; but: {heard()}\n{Said}");
    }

    /// <summary>Waits until the screen, all of which has this colour, <c>#RRGGBB</c>, is seen.</summary>
    public void WaitFor(string colour)
    {
        uint wanted = uint.Parse(colour.AsSpan(1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        for (int i = 0; i < Tries; i++)
        {
            if (_display.Screenshot() is { } seen && s_places.Any(place => Colour(seen, place.X, place.Y) == wanted))
            {
                return;
            }
        }

        Assert.Fail($"never seen: {colour}\n{Said}");
    }

    /// <summary>Where in the X server's screen such a picture is seen, pixel for pixel; null: nowhere.</summary>
    public (int X, int Y)? Find(Picture picture)
    {
        if (_display.Screenshot() is not { } seen)
        {
            return null;
        }

        for (int y = 0; y + picture.Height <= seen.Height; y++)
        {
            for (int x = 0; x + picture.Width <= seen.Width; x++)
            {
                if (IsAt(seen, x, y, picture))
                {
                    return (x, y);
                }
            }
        }

        return null;
    }

    public void Signal(string name) => Shell.Run("kill", "-" + name, _viewer.Id.ToString(CultureInfo.InvariantCulture));

    public void Dispose() => _display.Dispose();

    private static bool IsAt(Picture seen, int left, int top, Picture picture)
    {
        for (int y = 0; y < picture.Height; y++)
        {
            for (int x = 0; x < picture.Width; x++)
            {
                if (Colour(seen, left + x, top + y) != Colour(picture, x, y))
                {
                    return false;
                }
            }
        }

        return true;
    }

    // The fourth byte is nobody's.
    private static uint Colour(Picture picture, int x, int y) => MemoryMarshal.Cast<byte, uint>(picture.Pixels.Span)[(y * picture.Width) + x] & 0xffffff;
}
