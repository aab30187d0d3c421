using Vgpu.Screens;

namespace Vgpu.Viewers.Recording;

/// <summary>Starts films.</summary>
public static class RecordingFile
{
    /// <summary>Whether a file of this name is to be an animated PNG: it ends in .png or .apng.</summary>
    public static bool IsApng(string path) =>
        path.EndsWith(".png", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".apng", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// A new file at <paramref name="path"/>, which replaces one that is there: MP4 with H.264; an animated PNG by its name, and,
    /// where <paramref name="codecs"/> has no H.264 encoder for the size, for any name. Throws <see cref="IOException"/>
    /// and <see cref="UnauthorizedAccessException"/>.
    /// </summary>
    public static IRecording Create(string path, int width, int height, IPictureCodecs codecs, H264Settings settings)
    {
        ArgumentNullException.ThrowIfNull(codecs);
        IH264Encoder? encoder = IsApng(path) ? null : codecs.TryH264(width, height, settings);
        try
        {
            var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, 1 << 16);
            return encoder is null ? new ApngRecording(file, width, height) : new Mp4Recording(file, encoder);
        }
        catch
        {
            encoder?.Dispose();
            throw;
        }
    }
}
