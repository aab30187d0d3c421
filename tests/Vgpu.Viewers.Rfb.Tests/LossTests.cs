using System.Buffers;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb.Tests;

/// <summary>Viewers that take loss get it for what moves, and the exact picture once it is still.</summary>
public sealed class LossTests
{
    private static readonly RfbServerOptions s_options = new() { Name = "desk", Codecs = new AverageCodecs() };
    private readonly Clock _clock = new();

    [Fact]
    public void What_stays_still_becomes_exact_by_itself()
    {
        using var desk = new Desk(700, 500, s_options);
        Noise(desk, new Random(1), desk.Surface.Bounds);
        using var viewer = new Viewer(desk.Address);
        viewer.SetEncodings(RfbProtocol.EncodingTight, RfbProtocol.EncodingJpegQualityLowest + 8);
        viewer.Request(incremental: false);
        viewer.Decoder.ReadUpdate();
        Assert.False(viewer.Shows(desk));
        Assert.Equal(6, viewer.Decoder.JpegCount);
        viewer.Follow(desk);
        Assert.Equal(6, viewer.Decoder.JpegCount);
        Noise(desk, new Random(2), new Rect(100, 100, 300, 300));
        viewer.Follow(desk);
        Assert.InRange(viewer.Decoder.JpegCount, 7, 12);
    }

    [Fact]
    public void What_was_moved_before_it_was_exact_becomes_exact_too()
    {
        using var desk = new Desk(600, 500, s_options);
        Noise(desk, new Random(1), desk.Surface.Bounds);
        using var viewer = new Viewer(desk.Address);
        viewer.SetEncodings(RfbProtocol.EncodingTight, RfbProtocol.EncodingCopyRect, RfbProtocol.EncodingCursor, RfbProtocol.EncodingJpegQualityLowest + 8);
        viewer.Request(incremental: false);
        viewer.Decoder.ReadUpdate();
        desk.Scroll(desk.Surface.Bounds, 100);
        viewer.Request(incremental: true);
        viewer.Decoder.ReadUpdate();
        Assert.Contains(RfbProtocol.EncodingCopyRect, viewer.Decoder.Counts.Keys);
        viewer.Follow(desk);
    }

    [Fact]
    public void What_moves_for_a_while_is_a_film_and_exact_once_it_stops()
    {
        using var desk = new Desk(900, 700, s_options with { Clock = () => _clock.Now });
        using var viewer = new Viewer(desk.Address);
        viewer.SetEncodings(RfbProtocol.EncodingTight, RfbProtocol.EncodingCopyRect, RfbProtocol.EncodingCursor, RfbProtocol.EncodingOpenH264);
        viewer.Request(incremental: false);
        viewer.Follow(desk);
        var film = new Rect(130, 70, 480, 360);
        var random = new Random(4);
        int frames = 0;
        for (; viewer.Decoder.Films.Count < 20; frames++)
        {
            Assert.True(frames < 300, "no film came");
            _clock.Step();
            Noise(desk, random, film);
            viewer.Request(incremental: true);
            viewer.Decoder.ReadUpdate();
        }

        // It starts from a key frame in a context of its own, where it moves; what is beside stays exact.
        Assert.Equal(3u, viewer.Decoder.Films[0].Flags);
        Assert.All(viewer.Decoder.Films, picture => Assert.Equal(picture.Flags == 3 ? 1 : 0, picture.Data[0]));
        Assert.All(viewer.Decoder.Films, picture => Assert.True(picture.Area.Contains(film) && picture.Area.Area < 2 * film.Area, $"{picture.Area}"));
        Assert.False(viewer.Shows(desk));
        _clock.Run();
        viewer.Follow(desk);
    }

    // The film's pictures and those of JPEG are made once, however many look.
    [Fact]
    public void What_several_viewers_see_is_made_once()
    {
        var codecs = new AverageCodecs();
        using var desk = new Desk(900, 700, s_options with { Codecs = codecs, Clock = () => _clock.Now });
        List<Viewer> viewers = [.. Enumerable.Range(0, 6).Select(_ => new Viewer(desk.Address))];
        foreach ((int i, Viewer viewer) in viewers.Index())
        {
            viewer.SetEncodings(RfbProtocol.EncodingTight, RfbProtocol.EncodingCursor, RfbProtocol.EncodingJpegQualityLowest + 8, i % 2 == 0 ? RfbProtocol.EncodingOpenH264 : RfbProtocol.EncodingLastRect);
            viewer.Request(incremental: false);
            viewer.Follow(desk);
        }

        var random = new Random(6);
        const int Rounds = 30;
        for (int round = 0; round < Rounds; round++)
        {
            _clock.Step();
            Noise(desk, random, new Rect(130, 70, 480, 360));
            viewers.ForEach(viewer => viewer.Request(incremental: true));
            viewers.ForEach(viewer => viewer.Decoder.ReadUpdate());
        }

        int films = viewers[0].Decoder.Films.Count;
        int pictures = viewers[1].Decoder.JpegCount;
        Assert.InRange(films, 10, Rounds);
        Assert.InRange(pictures, Rounds, 12 * Rounds);
        Assert.All(viewers.Index(), viewer => Assert.Equal(viewer.Index % 2 == 0 ? films : 0, viewer.Item.Decoder.Films.Count));
        Assert.Equal((1, films, pictures), (codecs.Films, codecs.FilmPictures, codecs.Pictures));
        _clock.Run();
        viewers.ForEach(viewer => viewer.Follow(desk));
        viewers.ForEach(viewer => viewer.Dispose());
    }

    [Fact]
    public void Flat_and_written_parts_are_exact_from_the_start()
    {
        using var desk = new Desk(400, 300, s_options);
        var random = new Random(5);
        uint[] colours = [0x000000, 0xffffff, 0x808080, 0x2040c0];
        for (int y = 0; y < 300; y++)
        {
            foreach (ref uint pixel in desk.Pixels(y))
            {
                pixel = colours[random.Next(4)];
            }
        }

        desk.Head.Flush(desk.Surface.Bounds);
        using var viewer = new Viewer(desk.Address);
        viewer.SetEncodings(RfbProtocol.EncodingTight, RfbProtocol.EncodingJpegQualityLowest);
        viewer.Request(incremental: false);
        viewer.Follow(desk);
        Assert.Equal(0, viewer.Decoder.JpegCount);
    }

    [Fact]
    public void Who_did_not_ask_for_loss_gets_none()
    {
        using var desk = new Desk(400, 300, s_options);
        Noise(desk, new Random(1), desk.Surface.Bounds);
        using var viewer = new Viewer(desk.Address);
        viewer.SetEncodings(RfbProtocol.EncodingTight);
        viewer.Request(incremental: false);
        viewer.Follow(desk);
        Assert.Equal(0, viewer.Decoder.JpegCount);
    }

    private static void Noise(Desk desk, Random random, Rect rect)
    {
        for (int y = rect.Y; y < rect.Bottom; y++)
        {
            foreach (ref uint pixel in desk.Pixels(y).Slice(rect.X, rect.Width))
            {
                pixel = (uint)random.Next();
            }
        }

        desk.Head.Flush(rect);
    }

    // In place of JPEG, one colour for all of a picture: three bytes, which the tests' viewer knows.
    private sealed class AverageCodecs : IPictureCodecs, IJpegEncoder
    {
        private int _pictures;
        private int _films;
        private int _filmPictures;

        public IReadOnlyList<string> Missing => [];

        public IJpegEncoder TryJpeg() => this;

        internal int Pictures => _pictures;

        internal int Films => _films;

        internal int FilmPictures => _filmPictures;

        public IH264Encoder TryH264(int width, int height, H264Settings settings)
        {
            Interlocked.Increment(ref _films);
            return new Film(width, height, () => Interlocked.Increment(ref _filmPictures));
        }

        public void Encode(ReadOnlySpan<byte> bgrx, int width, int height, int stride, int quality, bool subsample, IBufferWriter<byte> to)
        {
            Interlocked.Increment(ref _pictures);
            Assert.InRange(quality, 1, 100);
            Assert.True(bgrx.Length >= ((height - 1) * stride) + (width * 4));
            to.Write(bgrx[..3]);
        }

        public void Dispose()
        {
        }
    }

    // In place of H.264: whether it is a key frame, and one colour.
    private sealed class Film(int width, int height, Action encoded) : IH264Encoder
    {
        public int Width => width;

        public int Height => height;

        public bool Encode(ReadOnlySpan<byte> bgrx, int stride, bool keyFrame, IBufferWriter<byte> annexB)
        {
            Assert.True(bgrx.Length >= ((height - 1) * stride) + (width * 4));
            encoded();
            annexB.Write([keyFrame ? (byte)1 : (byte)0, bgrx[0], bgrx[1], bgrx[2]]);
            return keyFrame;
        }

        public void Dispose()
        {
        }
    }
}
