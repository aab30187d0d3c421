using Vgpu.Host.Codecs;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Viewers.Recording.Tests;

/// <summary>The files, whole and cut off, as FFmpeg plays them.</summary>
public sealed class FileTests
{
    private const int Width = 96;
    private const int Height = 64;
    private static readonly int[] s_milliseconds = [100, 50, 1000, 33, 200];

    [Theory]
    [InlineData("film.mp4", 4.0)]
    [InlineData("film.apng", 0.0)]
    [InlineData("film.png", 0.0)]
    public void Every_picture_is_played_for_its_time(string name, double error)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File(name);
        using (IRecording film = Make(path))
        {
            film.Finish();
        }

        AssertPlays(path, folder, s_milliseconds.Length, error);
        double[] times = Film.Times(path);
        double expected = 0;
        for (int i = 0; i < times.Length; i++)
        {
            Assert.Equal(expected, times[i] - times[0], 0.002);
            expected += s_milliseconds[i] / 1000.0;
        }
    }

    [Theory]
    [InlineData("film.mp4", 4.0)]
    [InlineData("film.apng", 0.0)]
    public void A_film_that_was_never_finished_plays_all_that_was_added(string name, double error)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File(name);
        using IRecording film = Make(path);

        AssertPlays(path, folder, s_milliseconds.Length, error);
    }

    [Fact]
    public void An_mp4_that_was_cut_off_plays_up_to_there()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("film.mp4");
        Make(path).Dispose();
        byte[] whole = File.ReadAllBytes(path);
        File.WriteAllBytes(path, whole[..^20]);

        AssertPlays(path, folder, s_milliseconds.Length - 1, 4);
    }

    [Fact]
    public void An_odd_size_is_one_pixel_more_in_mp4_and_exact_in_png()
    {
        using var folder = new TemporaryFolder();
        foreach ((string name, int width, int height) in ((string, int, int)[])[("a.mp4", 98, 66), ("a.png", 97, 65)])
        {
            using (IRecording film = RecordingFile.Create(folder.File(name), 97, 65, PictureCodecs.Host, new H264Settings()))
            {
                film.Add(Film.Picture(97, 65, 1), TimeSpan.FromSeconds(1));
                film.Finish();
            }

            Assert.Single(Film.Frames(folder.File(name), folder, width, height));
        }
    }

    [Fact]
    public void Without_an_encoder_any_name_is_an_animated_png()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("film.mp4");
        using (IRecording film = RecordingFile.Create(path, 8, 8, new NoCodecs(), new H264Settings()))
        {
            film.Add(new byte[8 * 8 * 4], TimeSpan.FromSeconds(1));
            film.Finish();
        }

        Assert.Equal("PNG", System.Text.Encoding.ASCII.GetString(File.ReadAllBytes(path), 1, 3));
    }

    [Fact]
    public void Small_changes_make_small_pictures_in_an_animated_png_and_long_times_are_kept()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("film.apng");
        byte[] picture = Film.Picture(640, 480, 1);
        using IRecording film = RecordingFile.Create(path, 640, 480, PictureCodecs.Host, new H264Settings());
        film.Add(picture, TimeSpan.FromSeconds(130));
        long before = new FileInfo(path).Length;
        picture[(100 * 640 * 4) + 400] ^= 0xff;
        film.Add(picture, TimeSpan.FromSeconds(1));
        film.Finish();

        Assert.InRange(new FileInfo(path).Length - before, 1, 200);
        byte[][] frames = Film.Frames(path, folder, 640, 480);
        Assert.Equal(0, Film.Error(picture, frames[^1]));
        Assert.Equal(130, Film.Times(path)[^1], 0.01);
    }

    private static IRecording Make(string path)
    {
        IRecording film = RecordingFile.Create(path, Width, Height, PictureCodecs.Host, new H264Settings { Quality = 95 });
        for (int i = 0; i < s_milliseconds.Length; i++)
        {
            film.Add(Film.Picture(Width, Height, i), TimeSpan.FromMilliseconds(s_milliseconds[i]));
        }

        return film;
    }

    private static void AssertPlays(string path, TemporaryFolder folder, int count, double error)
    {
        byte[][] frames = Film.Frames(path, folder, Width, Height);
        Assert.Equal(count, frames.Length);
        for (int i = 0; i < count; i++)
        {
            Assert.InRange(Film.Error(Film.Picture(Width, Height, i), frames[i]), 0, error);
        }
    }

    private sealed class NoCodecs : IPictureCodecs
    {
        public IReadOnlyList<string> Missing => [];

        public IJpegEncoder? TryJpeg() => null;

        public IH264Encoder? TryH264(int width, int height, H264Settings settings) => null;
    }
}
