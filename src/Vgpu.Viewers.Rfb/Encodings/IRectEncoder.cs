using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>One encoding of one viewer, with the state that the protocol gives it. Not thread-safe.</summary>
internal interface IRectEncoder : IDisposable
{
    /// <summary>Its number in SetEncodings and in rectangles.</summary>
    int Number { get; }

    /// <summary>How large and where a rectangle may be: its sides are cut at multiples of these.</summary>
    (int Width, int Height) Grid { get; }

    /// <summary>
    /// Writes a rectangle's data, without its header. <paramref name="rect"/> says where it is on the screen;
    /// <paramref name="quality"/>: -1 for
    /// exactly, or 0 to 9 for loss where that is shorter. Returns whether it is exact.
    /// </summary>
    bool Encode(PixelBlock block, Rect rect, ViewerFormat format, int quality, OutputBuffer to);
}
