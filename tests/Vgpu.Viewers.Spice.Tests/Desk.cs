using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Viewers.Feed;

namespace Vgpu.Viewers.Spice.Tests;

/// <summary>A screen of one head that the test draws on, its feed, and a SPICE process that shows it.</summary>
internal sealed class Desk : IDisposable
{
    private readonly ScreenFeedServer _feed;
    private Surface _surface;

    public Desk(int width = 320, int height = 200)
    {
        Screen.Input = Input;
        _surface = Surface.Create("desk", width, height, PixelFormat.B8G8R8X8);
        DrawPattern(1);
        Head.SetSurface(_surface);
        _feed = new ScreenFeedServer(Folder.File("screen"), Screen, NullLogger.Instance);
        _feed.Start();
    }

    public TemporaryFolder Folder { get; } = new();

    public Screen Screen { get; } = new(1, new DisplayMode(320, 200));

    public Head Head => Screen.Heads[0];

    public RecordingSink Input { get; } = new();

    public static string FreeAddress()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
    }

    public SpiceProcess Show(string address, params IEnumerable<string> more) => new([.. Arguments(address), .. more]);

    public IEnumerable<string> Arguments(string address) =>
        ["--feed", Folder.File("screen"), "--address", address, "--name", "desk", "--lossless"];

    /// <summary>Another picture: every pixel depends on its place and on <paramref name="seed"/>.</summary>
    public void DrawPattern(int seed)
    {
        for (int y = 0; y < _surface.Height; y++)
        {
            Span<byte> row = _surface.Row(y);
            for (int x = 0; x < _surface.Width; x++)
            {
                int at = x * 4;
                (row[at], row[at + 1], row[at + 2], row[at + 3]) = ((byte)(x * seed), (byte)(y + seed), (byte)((x ^ y) * seed), 255);
            }
        }

        Head.Flush(_surface.Bounds);
    }

    public void Fill(Rect rect, byte blue, byte green, byte red)
    {
        for (int y = rect.Y; y < rect.Bottom; y++)
        {
            Span<byte> row = _surface.Row(y);
            for (int x = rect.X; x < rect.Right; x++)
            {
                (row[x * 4], row[(x * 4) + 1], row[(x * 4) + 2]) = (blue, green, red);
            }
        }

        Head.Flush(rect);
    }

    /// <summary>The guest sets another mode.</summary>
    public void Resize(int width, int height)
    {
        Surface before = _surface;
        _surface = Surface.Create("desk", width, height, PixelFormat.B8G8R8X8);
        DrawPattern(3);
        Head.SetSurface(_surface);
        before.Dispose();
    }

    /// <summary>What spicy-screenshot sees, which has to be the head's picture, soon.</summary>
    public void AssertSeen(SpiceProcess server, params string[] options)
    {
        if (Differs(server.Uri!, options) is { } difference)
        {
            Assert.Fail($"{difference}\n{server.Errors}");
        }
    }

    /// <summary>How what spicy-screenshot sees there is not the head's picture, even after a while; null: it is.</summary>
    public string? Differs(string uri, params string[] options)
    {
        string difference = "";
        for (int i = 0; i < 20; i++)
        {
            Picture? seen = SpiceClient.Screenshot(Folder, uri, out string output, options);
            Picture shown = Head.Capture(withCursor: false)!;
            if (seen is not null && (seen.Width, seen.Height) == (shown.Width, shown.Height) && seen.Pixels.Span.SequenceEqual(shown.Pixels.Span))
            {
                return null;
            }

            difference = seen is null ? output : $"{seen.Width}x{seen.Height}, not {shown.Width}x{shown.Height}, or other pixels";
        }

        return difference;
    }

    public void Dispose()
    {
        _feed.Dispose();
        _surface.Dispose();
        Folder.Dispose();
    }
}
