using Vgpu.Host.Codecs.Interop;
using Vgpu.Screens;

namespace Vgpu.Host.Codecs;

/// <summary>
/// The encoders of this host's libraries: libjpeg-turbo's for JPEG; for H.264 openh264, or x264 where that is absent or
/// refuses the size. The libraries are looked for once, when first asked, and stay loaded. Any thread.
/// </summary>
public sealed class PictureCodecs : IPictureCodecs
{
    private readonly Lazy<TurboJpeg?> _jpeg;
    private readonly Lazy<OpenH264?> _openH264;
    private readonly Lazy<X264?> _x264;

    /// <summary>Those that <see cref="Host"/> has, by the names given; a test takes one that is not there.</summary>
    internal PictureCodecs(string turboJpeg, string openH264, string x264)
    {
        _jpeg = new Lazy<TurboJpeg?>(() => TurboJpeg.TryLoad(turboJpeg));
        _openH264 = new Lazy<OpenH264?>(() => OpenH264.TryLoad(openH264));
        _x264 = new Lazy<X264?>(() => X264.TryLoad(x264));
    }

    /// <summary>This host's.</summary>
    public static PictureCodecs Host { get; } = new(TurboJpeg.Name, OpenH264.Name, X264.Name);

    /// <inheritdoc/>
    public IReadOnlyList<string> Missing
    {
        get
        {
            var missing = new List<string>();
            if (_jpeg.Value is null)
            {
                missing.Add(MissingJpeg);
            }

            if (_openH264.Value is null && _x264.Value is null)
            {
                missing.Add(MissingH264);
            }

            return missing;
        }
    }

    internal static string MissingJpeg => $"no JPEG: {TurboJpeg.Name} is not on this host; install Debian's package libturbojpeg0";

    internal static string MissingH264 => $"no H.264: neither {OpenH264.Name} nor {X264.Name} is on this host; install Debian's package libopenh264-7 or libx264-164";

    /// <inheritdoc/>
    public IJpegEncoder? TryJpeg() => _jpeg.Value is { } library ? new JpegEncoder(library) : null;

    /// <inheritdoc/>
    public IH264Encoder? TryH264(int width, int height, H264Settings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings.Validate(nameof(settings));
        BgrxRows.ValidateSize(width, height);
        IH264Encoder? encoder = _openH264.Value is { } openH264 ? OpenH264Encoder.TryCreate(openH264, width, height, settings) : null;
        return encoder ?? (_x264.Value is { } x264 ? X264Encoder.TryCreate(x264, width, height, settings) : null);
    }
}
