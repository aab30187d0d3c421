using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>Pixels that went from one place to another: <paramref name="Target"/> now shows what was <paramref name="Down"/> rows below it.</summary>
internal readonly record struct Move(Rect Target, int Down)
{
    internal Rect Source => Target with { Y = Target.Y + Down };
}
