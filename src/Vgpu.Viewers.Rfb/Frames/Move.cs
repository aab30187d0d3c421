using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// Pixels that went from one place to another: <paramref name="Target"/> now shows what was <paramref name="Down"/> rows below
/// it and <paramref name="Across"/> columns right of it.
/// </summary>
internal readonly record struct Move(Rect Target, int Down, int Across)
{
    internal Rect Source => Target with { X = Target.X + Across, Y = Target.Y + Down };
}
