using Vgpu.Screens;

namespace Vgpu.Testing;

/// <summary>Pictures that other programs have saved.</summary>
public static class ImageFile
{
    /// <summary>The pixels of a file of any kind that ImageMagick reads.</summary>
    public static Picture Read(string path)
    {
        using var folder = new TemporaryFolder();
        string plain = folder.File("plain.png");
        (int status, string output) = Shell.Run("convert", path, "-depth", "8", $"PNG24:{plain}");
        Assert.True(status == 0, output);
        return PngReader.Read(File.ReadAllBytes(plain));
    }
}
