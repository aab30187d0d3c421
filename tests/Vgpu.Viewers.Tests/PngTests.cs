using System.Text;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Viewers.Png;

namespace Vgpu.Viewers.Tests;

public sealed class PngTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 100)]
    [InlineData(100, 1)]
    [InlineData(3, 5)]
    [InlineData(257, 129)]
    [InlineData(640, 480)]
    public void Comes_back_as_it_was(int width, int height)
    {
        Picture picture = Noise(width, height);
        using var stream = new MemoryStream();
        PngFile.Write(stream, picture);

        Picture read = PngReader.Read(stream.ToArray());
        Assert.Equal((width, height), (read.Width, read.Height));
        Assert.True(read.Pixels.Span.SequenceEqual(picture.Pixels.Span));
    }

    [Fact]
    public void Is_written_whole_or_not_at_all()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("shot.png");
        File.WriteAllText(path, "old");
        Assert.Throws<ArgumentException>(() => PngFile.Write(path, new Picture(4, 4, new byte[63])));
        Assert.Equal("old", File.ReadAllText(path));
        PngFile.Write(path, Noise(31, 17));
        Assert.Equal(31, PngReader.Read(File.ReadAllBytes(path)).Width);
        Directory.CreateDirectory(folder.File("taken"));
        Assert.ThrowsAny<Exception>(() => PngFile.Write(folder.File("taken"), Noise(1, 1)));
        Assert.Throws<DirectoryNotFoundException>(() => PngFile.Write(Path.Combine(folder.File("none"), "shot.png"), Noise(1, 1)));
        Assert.Equal(["shot.png"], Directory.GetFiles(Path.GetDirectoryName(path)!).Select(Path.GetFileName));
    }

    [Fact]
    public void CRC_is_that_of_the_standard()
    {
        Assert.Equal(0xcbf43926, Crc32.Append(0, Encoding.ASCII.GetBytes("123456789")));
        Assert.Equal(0u, Crc32.Append(0, []));
        var bytes = new byte[1000];
        new Random(3).NextBytes(bytes);
        for (int cut = 0; cut < 40; cut++)
        {
            Assert.Equal(PngReader.SlowCrc(bytes), Crc32.Append(Crc32.Append(0, bytes.AsSpan(0, cut)), bytes.AsSpan(cut)));
        }
    }

    private static Picture Noise(int width, int height)
    {
        var pixels = new byte[width * height * 4];
        new Random(width + height).NextBytes(pixels);
        for (int i = 3; i < pixels.Length; i += 4)
        {
            pixels[i] = 255;
        }

        return new Picture(width, height, pixels);
    }
}
