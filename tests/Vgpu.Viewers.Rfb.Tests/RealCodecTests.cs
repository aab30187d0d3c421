using Vgpu.Host.Codecs;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb.Tests;

/// <summary>With the host's own encoders and Debian's decoders: what is lost is little, and what stays still becomes exact.</summary>
public sealed class RealCodecTests : IDisposable
{
    private const int Level = RfbProtocol.EncodingJpegQualityLowest + 8;
    private static readonly Rect s_film = new(70, 50, 640, 480);

    private readonly Decoders _decoders = new();
    private readonly Clock _clock = new();

    [Fact]
    public void A_photograph_comes_as_JPEG_and_becomes_exact()
    {
        using var desk = MakeDesk();
        desk.Photograph(desk.Surface.Bounds, 0);
        using Viewer viewer = Come(desk, RfbProtocol.EncodingTight, Level);
        viewer.Decoder.ReadUpdate();
        Assert.Equal(12, viewer.Decoder.JpegCount);
        (double mean, int worst) = Decoders.Difference(Seen(viewer, desk.Surface.Bounds), Drawn(desk, desk.Surface.Bounds));
        Assert.True(mean is > 0 and < 5 && worst < 48, $"{mean}, {worst}");
        _clock.Run();
        viewer.Follow(desk);
        Assert.Equal(12, viewer.Decoder.JpegCount);
    }

    [Fact]
    public void What_moves_comes_as_coarser_JPEG_and_becomes_exact()
    {
        using var desk = MakeDesk();
        using Viewer viewer = Come(desk, RfbProtocol.EncodingTight, RfbProtocol.EncodingCursor, Level);
        viewer.Follow(desk);
        var sizes = new List<long>();
        for (int i = 0; i < 24; i++)
        {
            long before = viewer.Decoder.PixelBytes;
            _clock.Step();
            desk.Photograph(s_film, i);
            Next(viewer);
            sizes.Add(viewer.Decoder.PixelBytes - before);
        }

        Assert.True(sizes[^1] * 3 < sizes[1] * 2, string.Join(' ', sizes));
        (double mean, int worst) = Decoders.Difference(Seen(viewer, s_film), Drawn(desk, s_film));
        Assert.True(mean is > 0 and < 7 && worst < 80, $"{mean}, {worst}");
        _clock.Run();
        viewer.Follow(desk);
    }

    [Fact]
    public void What_moves_comes_as_H264_that_any_viewer_can_join_and_becomes_exact()
    {
        using var desk = MakeDesk();
        using Viewer first = Come(desk, RfbProtocol.EncodingTight, RfbProtocol.EncodingCursor, RfbProtocol.EncodingOpenH264);
        first.Follow(desk);
        Viewer? second = null;
        var drawn = new List<uint[]>();
        for (int i = 0; first.Decoder.Films.Count < 40 || second!.Decoder.Films.Count < 5; i++)
        {
            Assert.True(i < 2000, "no film came");
            int films = first.Decoder.Films.Count;
            _clock.Step();
            desk.Photograph(s_film, i);
            Next(first);
            if (first.Decoder.Films.Count > films)
            {
                Assert.Equal(films + 1, first.Decoder.Films.Count);
                drawn.Add(Drawn(desk, s_film));
            }

            if (first.Decoder.Films.Count == 10)
            {
                second ??= Come(desk, RfbProtocol.EncodingTight, RfbProtocol.EncodingCursor, RfbProtocol.EncodingOpenH264);
            }
            else if (second is not null)
            {
                Next(second);
            }
        }

        AssertShow(first.Decoder.Films, drawn);
        int joined = first.Decoder.Films.FindIndex(film => film.Data.AsSpan().SequenceEqual(second!.Decoder.Films[0].Data));
        Assert.InRange(joined, 1, 2000);
        AssertShow(second!.Decoder.Films, drawn[joined..]);
        Assert.All(first.Decoder.Films.Skip(1), picture => Assert.Equal(0u, picture.Flags));
        Assert.All(second.Decoder.Films.Index(), film => Assert.True(film.Item.Data.AsSpan().SequenceEqual(first.Decoder.Films[joined + film.Index].Data)));
        _clock.Run();
        first.Follow(desk);
        second.Follow(desk);
        second.Dispose();
    }

    public void Dispose() => _decoders.Dispose();

    // One stream, that begins with its first picture, and shows what was drawn.
    private void AssertShow(List<(Rect Area, uint Flags, byte[] Data)> films, List<uint[]> drawn)
    {
        Rect area = films[0].Area;
        Assert.Equal(3u, films[0].Flags);
        Assert.All(films, film => Assert.Equal(area, film.Area));
        Assert.True(area.Contains(s_film));
        uint[] shown = _decoders.H264(films.Select(film => film.Data));
        Assert.Equal(films.Count * area.Area, shown.Length);
        for (int i = 0; i < films.Count; i++)
        {
            uint[] part = Part(shown.AsSpan((int)(i * area.Area)), area.Width, s_film with { X = s_film.X - area.X, Y = s_film.Y - area.Y });
            (double mean, int worst) = Decoders.Difference(part, drawn[i]);
            Assert.True(mean < 7 && worst < 80, $"picture {i}: {mean}, {worst}");
        }
    }

    private Desk MakeDesk() => new(900, 700, new RfbServerOptions { Name = "desk", Codecs = PictureCodecs.Host, Clock = () => _clock.Now });

    private Viewer Come(Desk desk, params int[] encodings)
    {
        var viewer = new Viewer(desk.Address);
        viewer.Decoder.Jpeg = _decoders.Jpeg;
        viewer.SetEncodings(encodings);
        viewer.Request(incremental: false);
        return viewer;
    }

    // The next update with anything new in it.
    private static void Next(Viewer viewer)
    {
        viewer.Request(incremental: true);
        viewer.Decoder.ReadUpdate();
    }

    private static uint[] Seen(Viewer viewer, Rect rect) =>
        [.. Enumerable.Range(0, (int)rect.Area).Select(i => viewer.Decoder.At(rect.X + (i % rect.Width), rect.Y + (i / rect.Width)))];

    private static uint[] Drawn(Desk desk, Rect rect) =>
        [.. Enumerable.Range(0, (int)rect.Area).Select(i => desk.At(rect.X + (i % rect.Width), rect.Y + (i / rect.Width)))];

    private static uint[] Part(ReadOnlySpan<uint> picture, int width, Rect rect)
    {
        var part = new uint[rect.Area];
        for (int y = 0; y < rect.Height; y++)
        {
            picture.Slice(((rect.Y + y) * width) + rect.X, rect.Width).CopyTo(part.AsSpan(y * rect.Width));
        }

        return part;
    }
}
