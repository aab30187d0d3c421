namespace Vgpu.Screens;

/// <summary>A head at one moment.</summary>
/// <param name="IsConnected">Whether a monitor is plugged in.</param>
/// <param name="PreferredMode">The mode that the monitor asks for.</param>
/// <param name="Width">Width of what is shown, in pixels; 0: nothing is.</param>
/// <param name="Height">Height of what is shown, in pixels; 0: nothing is.</param>
/// <param name="HasCursor">Whether a cursor is shown.</param>
/// <param name="Generation">See <see cref="Head.Generation"/>.</param>
public readonly record struct HeadState(bool IsConnected, DisplayMode PreferredMode, int Width, int Height, bool HasCursor, ulong Generation);
