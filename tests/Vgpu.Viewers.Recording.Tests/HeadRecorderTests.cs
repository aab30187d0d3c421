using Vgpu.Host.Codecs;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Viewers.Recording.Tests;

/// <summary>A head that is drawn on, in the film.</summary>
public sealed class HeadRecorderTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task The_film_shows_what_was_drawn_through_a_change_of_mode()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("film.apng");
        var screen = new Screen(1, new DisplayMode(64, 48));
        using Surface small = Surface.Create("a", 64, 48, PixelFormat.B8G8R8X8);
        using Surface large = Surface.Create("b", 64, 96, PixelFormat.B8G8R8X8);
        using var end = new CancellationTokenSource();
        using var added = new AutoResetEvent(false);
        var recorder = new HeadRecorder(screen.Heads[0], 240);
        recorder.Recorded += (_, _) => added.Set();
        Paint(small, 1);
        screen.Heads[0].SetSurface(small);

        Task<long> recording = Task.Run(() => recorder.Record((width, height) => RecordingFile.Create(path, width, height, PictureCodecs.Host, new H264Settings()), null, end.Token));

        // Each is in the film once another has been taken; what a still second adds is the same picture.
        Paint(small, 2);
        screen.Heads[0].Flush(small.Bounds);
        Assert.True(added.WaitOne(s_patience));
        Paint(large, 3);
        screen.Heads[0].SetSurface(large);
        Assert.True(added.WaitOne(s_patience));
        await end.CancelAsync();
        long pictures = await recording;

        byte[][] frames = Film.Frames(path, folder, 64, 48);
        Assert.Equal(pictures, frames.Length);
        Assert.Equal(Whole(3, 64, 48, 16), frames[^1]);
        Assert.Contains(frames, frame => frame.AsSpan().SequenceEqual(Whole(2, 64, 48, 0)));
        screen.Heads[0].SetSurface(null);
    }

    [Fact]
    public void It_ends_after_its_time_and_its_film_is_as_long()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("film.mp4");
        var screen = new Screen(1, new DisplayMode(64, 48));
        using Surface surface = Surface.Create("a", 64, 48, PixelFormat.B8G8R8X8);
        screen.Heads[0].SetSurface(surface);
        TimeSpan length = default;
        var recorder = new HeadRecorder(screen.Heads[0]);
        recorder.Recorded += (_, at) => length = at;

        long pictures = recorder.Record((width, height) => RecordingFile.Create(path, width, height, PictureCodecs.Host, new H264Settings()), TimeSpan.FromSeconds(0.3), CancellationToken.None);

        Assert.Equal(pictures, Film.Frames(path, folder, 64, 48).Length);
        Assert.True(length >= TimeSpan.FromSeconds(0.3));
        Assert.False(screen.Heads[0].IsObserved);
        screen.Heads[0].SetSurface(null);
    }

    [Fact]
    public void Where_nothing_is_shown_there_is_no_film()
    {
        var screen = new Screen(1, new DisplayMode(64, 48));
        using var end = new CancellationTokenSource();
        end.Cancel();

        Assert.Equal(0, new HeadRecorder(screen.Heads[0]).Record((_, _) => throw new InvalidOperationException(), null, end.Token));
    }

    [Theory]
    [InlineData(64, 96, 16, 0, 32, 48)]
    [InlineData(128, 48, 0, 12, 64, 24)]
    [InlineData(640, 480, 0, 0, 64, 48)]
    [InlineData(1, 16384, 31, 0, 1, 48)]
    public void Another_size_is_fitted_in_with_its_shape(int width, int height, int x, int y, int across, int down) =>
        Assert.Equal(new Rect(x, y, across, down), Letterbox.BoxOf(width, height, 64, 48));

    private static void Paint(Surface surface, byte colour)
    {
        for (int y = 0; y < surface.Height; y++)
        {
            for (int x = 0; x < surface.Width; x++)
            {
                surface.Row(y).Slice(x * 4, 4).Fill(colour);
                surface.Row(y)[(x * 4) + 3] = 255;
            }
        }
    }

    // Flat, with black beside it.
    private static byte[] Whole(byte colour, int width, int height, int beside)
    {
        var pixels = new byte[width * height * 4];
        for (int i = 0; i < pixels.Length; i++)
        {
            int x = i / 4 % width;
            pixels[i] = i % 4 == 3 ? (byte)255 : x < beside || x >= width - beside ? (byte)0 : colour;
        }

        return pixels;
    }
}
