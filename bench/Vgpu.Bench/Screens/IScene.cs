using Vgpu.Screens;

namespace Vgpu.Bench.Screens;

/// <summary>What a screen shows, the same for every server and every time: a picture, and what changes of it.</summary>
internal interface IScene
{
    string Name { get; }

    /// <summary>How often <see cref="Step"/> is due, a second.</summary>
    int Rate { get; }

    /// <summary>The first picture, below the strip.</summary>
    void Begin(Canvas canvas);

    /// <summary>Paints the next change; its exact rectangle.</summary>
    Rect Step(Canvas canvas, int number);
}
