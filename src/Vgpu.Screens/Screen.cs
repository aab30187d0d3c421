namespace Vgpu.Screens;

/// <summary>The outputs of one vGPU.</summary>
public sealed class Screen
{
    /// <summary>A screen of <paramref name="headCount"/> heads (1 to 16), of which the first is connected.</summary>
    public Screen(int headCount, DisplayMode preferred) => throw new NotImplementedException();

    public IReadOnlyList<Head> Heads => throw new NotImplementedException();
}
