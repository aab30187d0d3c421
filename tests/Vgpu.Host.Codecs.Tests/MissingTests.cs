using Vgpu.Screens;

namespace Vgpu.Host.Codecs.Tests;

/// <summary>A host that lacks libraries says which package to install, once a kind.</summary>
public sealed class MissingTests
{
    [Fact]
    public void Without_any_library_there_are_two_lines_and_no_encoders()
    {
        var codecs = new PictureCodecs("libvgpu-none.so", "libvgpu-none.so", "libvgpu-none.so");

        Assert.Null(codecs.TryJpeg());
        Assert.Null(codecs.TryH264(64, 64, new H264Settings()));
        Assert.Collection(
            codecs.Missing,
            line => Assert.Contains("install Debian's package libturbojpeg0", line, StringComparison.Ordinal),
            line => Assert.Contains("install Debian's package libopenh264-7 or libx264-164", line, StringComparison.Ordinal));
    }

    [Fact]
    public void A_library_without_the_functions_is_as_good_as_none()
    {
        var codecs = new PictureCodecs("libc.so.6", "libc.so.6", "libc.so.6");

        Assert.Equal(2, codecs.Missing.Count);
        Assert.Null(codecs.TryJpeg());
    }

    [Fact]
    public void With_all_libraries_nothing_is_missing() => Assert.Empty(PictureCodecs.Host.Missing);

    [Fact]
    public void Settings_out_of_range_are_refused() =>
        Assert.Throws<ArgumentException>(() => PictureCodecs.Host.TryH264(64, 64, new H264Settings { Quality = 0 }));
}
