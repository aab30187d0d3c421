namespace Vgpu.Screens;

/// <summary>A mode: size in pixels (1 to 16384) and refresh rate in hertz (1 to 360).</summary>
public readonly record struct DisplayMode(int Width, int Height, int RefreshHertz = 60)
{
    /// <summary>The largest width and height: what virtio-gpu guests and VESA DisplayID timings have room for.</summary>
    public const int MaxSize = 16_384;

    /// <summary>The fastest refresh: the largest size at this rate still fits the pixel clock of a DisplayID timing.</summary>
    public const int MaxRefreshHertz = 360;

    /// <summary>Whether every number is within its range.</summary>
    public bool IsValid =>
        Width is >= 1 and <= MaxSize && Height is >= 1 and <= MaxSize && RefreshHertz is >= 1 and <= MaxRefreshHertz;

    /// <summary>Whether neither side is longer than the other's.</summary>
    public bool IsWithin(DisplayMode other) => Width <= other.Width && Height <= other.Height;

    /// <summary>For example <c>1024x768@60</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"{Width}x{Height}@{RefreshHertz}");

    /// <summary>Throws <see cref="ArgumentOutOfRangeException"/> with a message for the operator where a number is out of range.</summary>
    internal void Validate(string parameter)
    {
        if (!IsValid)
        {
            throw new ArgumentOutOfRangeException(parameter, this, $"A mode is 1x1 to {MaxSize}x{MaxSize} at 1 to {MaxRefreshHertz} Hz.");
        }
    }
}
