using System.Buffers;

namespace Vgpu.Screens;

/// <summary>
/// Makes baseline JFIF pictures (ITU-T T.81) of B8G8R8X8 pixels. One thread at a time; it keeps native memory until it
/// is disposed, and allocates nothing per picture once it has seen the largest.
/// </summary>
public interface IJpegEncoder : IDisposable
{
    /// <summary>
    /// Appends one picture of 1 to <see cref="DisplayMode.MaxSize"/> pixels each way to <paramref name="to"/>.
    /// <paramref name="bgrx"/> holds the rows, <paramref name="stride"/> bytes apart, of which the last needs no gap.
    /// <paramref name="quality"/> is libjpeg's, 1 to 100. <paramref name="subsample"/>: one colour for 2x2 pixels
    /// (4:2:0), else one for each (4:4:4). Throws <see cref="ArgumentException"/> for sizes that do not fit the pixels
    /// and <see cref="InvalidOperationException"/> where the library refuses; then nothing has been appended.
    /// </summary>
    void Encode(ReadOnlySpan<byte> bgrx, int width, int height, int stride, int quality, bool subsample, IBufferWriter<byte> to);
}
