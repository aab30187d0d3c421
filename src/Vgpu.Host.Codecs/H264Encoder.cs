using Vgpu.Screens;

namespace Vgpu.Host.Codecs;

/// <summary>An H.264 encoder of whichever of this host's libraries takes the size.</summary>
public static class H264Encoder
{
    /// <summary>
    /// A new encoder, the caller's to dispose; else null and <paramref name="missing"/>, one line that says what is absent
    /// and what to do. Any thread. Throws <see cref="ArgumentException"/> for a size or settings out of range.
    /// </summary>
    public static IH264Encoder? TryCreate(int width, int height, H264Settings settings, out string? missing)
    {
        IH264Encoder? encoder = PictureCodecs.Host.TryH264(width, height, settings);
        missing = encoder is not null ? null
            : PictureCodecs.Host.Missing.FirstOrDefault(line => line == PictureCodecs.MissingH264)
                ?? $"no H.264 at {width}x{height}: the encoders of this host refuse that size";
        return encoder;
    }
}
