using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>What one update is made by. <paramref name="Wanted"/> is empty where none is asked for.</summary>
internal readonly record struct ViewerTurn(ViewerFormat Format, ViewerEncodings Encodings, Rect Wanted, bool IsContinuous);
