using Vgpu.Screens;

namespace Vgpu.Viewers.Web.Tests;

/// <summary>A vGPU with a real screen, and a guest that keeps what it is told.</summary>
public sealed class FakeVgpu : IInputSink, IDisposable
{
    private readonly List<InputEvent> _input = [];
    private readonly CancellationTokenSource _gone = new();

    public FakeVgpu(ConsoleVgpu facts)
    {
        Facts = facts;
        Screen = new Screen(1, new DisplayMode(1024, 768)) { Input = this };
    }

    public ConsoleVgpu Facts { get; set; }

    public Screen Screen { get; }

    public CancellationToken Gone => _gone.Token;

    public IReadOnlyList<DisplayMode> Modes => Screen.Heads[0].State is { Width: > 0 } state ? [new DisplayMode(state.Width, state.Height)] : [];

    public IReadOnlyList<InputEvent> Input
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
            _input.AddRange(events);
        }
    }

    public void End() => _gone.Cancel();

    public void Dispose() => _gone.Dispose();

    /// <summary>Shows a picture, pixel for pixel.</summary>
    public Picture Show(Picture picture)
    {
        using var surface = Surface.Create("test", picture.Width, picture.Height, PixelFormat.B8G8R8X8);
        for (int y = 0; y < picture.Height; y++)
        {
            picture.Pixels.Span.Slice(y * picture.Width * Surface.BytesPerPixel, picture.Width * Surface.BytesPerPixel).CopyTo(surface.Row(y));
        }

        Screen.Heads[0].SetSurface(surface);
        return picture;
    }

    /// <summary>Codes of keys in order, released ones negative.</summary>
    public int[] Keys => [.. Input.Where(each => each.Kind == InputKind.Key).Select(each => each.Value == 1 ? each.Code : -each.Code)];
}
