namespace Vgpu.Screens;

/// <summary>A copy of what a head showed: B8G8R8X8 with X = 255, row after row without gaps.</summary>
public sealed record Picture(int Width, int Height, ReadOnlyMemory<byte> Pixels);
