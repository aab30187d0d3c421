namespace Vgpu.Viewers.Rfb;

/// <summary>One encoding of one viewer, with the state that the protocol gives it. Not thread-safe.</summary>
internal interface IRectEncoder : IDisposable
{
    /// <summary>Its number in SetEncodings and in rectangles.</summary>
    int Number { get; }

    /// <summary>How large and where a rectangle may be: its sides are cut at multiples of these.</summary>
    (int Width, int Height) Grid { get; }

    /// <summary>
    /// Writes a rectangle's data, without its header. <paramref name="loss"/>: what may be lost where that is shorter.
    /// Returns whether it is exact.
    /// </summary>
    bool Encode(PixelBlock block, ViewerFormat format, Loss loss, OutputBuffer to);
}
