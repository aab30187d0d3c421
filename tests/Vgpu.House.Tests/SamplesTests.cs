namespace Vgpu.House.Tests;

/// <summary>A sample is one file, short enough to be read whole; where one grows, the library is what lacks something.</summary>
public sealed class SamplesTests
{
    [Theory]
    [InlineData("edu", 80)]
    [InlineData("framebuffer", 150)]
    public void A_sample_is_one_short_file(string name, int lines)
    {
        string source = Assert.Single(Home.SourcesIn(Path.Combine("samples", name)));

        string[] text = File.ReadAllLines(source);
        Assert.InRange(text.Length, 1, lines);
        Assert.All(text, line => Assert.InRange(line.Length, 0, 140));
    }

    [Fact]
    public void Every_sample_has_its_limit() =>
        Assert.Equal(["edu", "framebuffer"], Directory.EnumerateDirectories(Path.Combine(Home.Folder, "samples")).Select(Path.GetFileName).Order());
}
