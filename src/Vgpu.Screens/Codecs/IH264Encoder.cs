using System.Buffers;

namespace Vgpu.Screens;

/// <summary>
/// Makes an H.264 stream (ITU-T H.264, Annex B, Constrained Baseline, no reordering: a picture out for a picture in) of
/// B8G8R8X8 pixels, 4:2:0 in BT.601's limited range. One thread at a time; it keeps native memory until it is disposed,
/// and allocates nothing per picture in steady state.
/// </summary>
public interface IH264Encoder : IDisposable
{
    /// <summary>Pixels of a picture that is given in.</summary>
    int Width { get; }

    /// <summary>Rows of a picture that is given in.</summary>
    int Height { get; }

    /// <summary>
    /// Appends one access unit to <paramref name="annexB"/>: start codes and NAL units. <paramref name="bgrx"/> holds the
    /// rows, <paramref name="stride"/> bytes apart, of which the last needs no gap. The first picture, one with
    /// <paramref name="keyFrame"/>, and such as the encoder chooses are key frames: SPS, PPS and an IDR picture, from
    /// which a decoder can start. Returns whether this is one. An odd width or height is coded with its last column or
    /// row doubled and cropped away again by the SPS where the encoder can, else the stream is that one pixel larger.
    /// Throws <see cref="ArgumentException"/> for a stride or pixels that do not fit the size and
    /// <see cref="InvalidOperationException"/> where the library refuses; then nothing has been appended.
    /// </summary>
    bool Encode(ReadOnlySpan<byte> bgrx, int stride, bool keyFrame, IBufferWriter<byte> annexB);
}
