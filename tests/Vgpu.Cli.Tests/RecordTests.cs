using System.Diagnostics;
using Vgpu.Testing;

namespace Vgpu.Cli.Tests;

/// <summary><c>vgpu record</c>: films that FFmpeg plays, and how it ends.</summary>
public sealed class RecordTests : IDisposable
{
    private readonly Folder _folder = new();

    private string Socket => _folder["a.sock"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("film.mp4", "h264")]
    [InlineData("film.apng", "apng")]
    public void It_films_what_a_guest_draws_for_as_long_as_asked(string name, string codec)
    {
        using var served = new Served(Socket);
        using var guest = new DrawingClient(Socket);
        guest.Draw(1);

        string said = Cli.Run("record", Socket, _folder[name], "--duration", "0.5", "--fps", "10").AssertDone();

        Assert.StartsWith($"{_folder[name]} {DrawingClient.Width}x{DrawingClient.Height}, ", said, StringComparison.Ordinal);
        Assert.Equal((0, $"{codec},{DrawingClient.Width},{DrawingClient.Height}\n"), Shell.Run("ffprobe", "-v", "error", "-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0", _folder[name]));
        Assert.Equal((0, string.Empty), Shell.Run("ffmpeg", "-v", "error", "-y", "-i", _folder[name], "-frames:v", "1", "-pix_fmt", "bgr0", "-f", "rawvideo", _folder["first.raw"]));
        byte[] first = File.ReadAllBytes(_folder["first.raw"]);
        Assert.Equal(guest.Pixels.Length, first.Length);
        if (codec == "apng")
        {
            for (int i = 0; i < first.Length; i += 4)
            {
                Assert.True(first.AsSpan(i, 3).SequenceEqual(guest.Pixels.Slice(i, 3)));
            }
        }
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public void A_signal_ends_it_with_a_whole_film(string signal)
    {
        using var served = new Served(Socket);
        using var guest = new DrawingClient(Socket);
        guest.Draw(1);
        using Process record = Cli.Start(["record", Socket, _folder["film.apng"]]);
        Assert.True(SpinWait.SpinUntil(() => File.Exists(_folder["film.apng"]), TimeSpan.FromSeconds(60)));

        Cli.Signal(record, signal);
        Outcome outcome = Cli.End(record);

        Assert.Equal(0, outcome.Status);
        Assert.Equal("IEND"u8, File.ReadAllBytes(_folder["film.apng"]).AsSpan(^8..^4));
    }

    [Fact]
    public void What_can_t_be_recorded_is_said_in_a_line()
    {
        Cli.Run("record", Socket, _folder["a.mp4"]).AssertOneLine(2, $"no vGPU is served at {Socket}");
        using var served = new Served(Socket);
        Cli.Run("record", Socket, _folder["a.mp4"], "--head", "3").AssertOneLine(2, "has no head 3; --head is 0 to 0");
        Cli.Run("record", Socket, _folder["a.mp4"], "--fps", "0").AssertOneLine(2, "--fps is 1 to 60");
        Cli.Run("record", Socket, _folder["a.mp4"], "--duration", "-1").AssertOneLine(2, "--duration is more than 0");
        Cli.Run("record", Socket, _folder["none/a.mp4"]).AssertOneLine(2, "there is no folder");
        Cli.Run("record", Socket, _folder["a.mp4"], "--duration", "0.2").AssertOneLine(1, "showed nothing; try again once its guest has drawn");
        Assert.False(File.Exists(_folder["a.mp4"]));
    }
}
