namespace Vgpu.Screens;

/// <summary>
/// The picture encoders that this host has. A viewer takes what it finds and does without the rest. Any thread; each
/// encoder is a new one and its taker's to dispose.
/// </summary>
public interface IPictureCodecs
{
    /// <summary>One line for each kind of encoder that is absent: what does not work so, and which package to install.</summary>
    IReadOnlyList<string> Missing { get; }

    /// <summary>A JPEG encoder; null where this host has none, now and later.</summary>
    IJpegEncoder? TryJpeg();

    /// <summary>
    /// An H.264 encoder for pictures of this size, 1 to <see cref="DisplayMode.MaxSize"/> each way; null where this host
    /// has none, or none for this size. Throws <see cref="ArgumentException"/> for settings out of range.
    /// </summary>
    IH264Encoder? TryH264(int width, int height, H264Settings settings);
}
