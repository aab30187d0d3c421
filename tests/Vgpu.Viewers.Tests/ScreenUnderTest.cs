using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Viewers.Feed;

namespace Vgpu.Viewers.Tests;

// A screen that a test draws on, its feed, and input as it arrives there.
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
internal sealed class ScreenUnderTest : IInputSink, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<InputEvent[]> _input = [];
    private readonly Random _random = new(7);
    private readonly TimeSpan _interval;
    private ScreenFeedServer _server;

    internal ScreenUnderTest(int heads = 1, int width = 64, int height = 48, int frameMilliseconds = 8)
    {
        _interval = TimeSpan.FromMilliseconds(frameMilliseconds);
        Screen = new Screen(heads, new DisplayMode(1280, 800), new DisplayMode(4096, 2160)) { Input = this };
        Path = _folder.File("a.screen");
        Surface = NewSurface(width, height, PixelFormat.R8G8B8X8);
        Head.SetSurface(Surface);
        _server = Serve();
    }

    internal string Path { get; }

    internal Screen Screen { get; }

    internal Head Head => Screen.Heads[0];

    internal Surface Surface { get; private set; }

    internal IReadOnlyList<InputEvent[]> Input
    {
        get
        {
            lock (_input)
            {
                return [.. _input];
            }
        }
    }

    public void Send(ReadOnlySpan<InputEvent> events)
    {
        lock (_input)
        {
            _input.Add(events.ToArray());
            Monitor.PulseAll(_input);
        }
    }

    internal IReadOnlyList<InputEvent[]> WaitForInput(int moments)
    {
        lock (_input)
        {
            while (_input.Count < moments)
            {
                Assert.True(Monitor.Wait(_input, TimeSpan.FromSeconds(60)), $"{_input.Count} of {moments} moments arrived");
            }

            return [.. _input];
        }
    }

    // Draws noise on a part, and says so.
    internal void Draw(Rect rect)
    {
        for (int y = rect.Y; y < rect.Bottom; y++)
        {
            _random.NextBytes(Surface.Row(y).Slice(rect.X * 4, rect.Width * 4));
        }

        Head.Flush(rect);
    }

    internal Rect DrawSomewhere()
    {
        int x = _random.Next(Surface.Width);
        int y = _random.Next(Surface.Height);
        var rect = new Rect(x, y, _random.Next(1, Surface.Width - x + 1), _random.Next(1, Surface.Height - y + 1));
        Draw(rect);
        return rect;
    }

    internal void SetMode(int width, int height, PixelFormat format = PixelFormat.B8G8R8X8)
    {
        Surface before = Surface;
        Surface = NewSurface(width, height, format);
        Head.SetSurface(Surface);
        before.Dispose();
    }

    // Another takes its place, as when a worker died and a successor came.
    internal void Replace()
    {
        _server.Dispose();
        _server = Serve();
    }

    internal void Stop() => _server.Dispose();

    internal ScreenFeedServer Serve()
    {
        var server = new ScreenFeedServer(Path, Screen, NullLogger.Instance) { FrameInterval = _interval };
        server.Start();
        return server;
    }

    public void Dispose()
    {
        _server.Dispose();
        Head.SetSurface(null);
        Surface.Dispose();
        _folder.Dispose();
    }

    private Surface NewSurface(int width, int height, PixelFormat format)
    {
        Surface surface = Surface.Create("drawn", width, height, format);
        for (int y = 0; y < height; y++)
        {
            _random.NextBytes(surface.Row(y));
        }

        return surface;
    }
}
