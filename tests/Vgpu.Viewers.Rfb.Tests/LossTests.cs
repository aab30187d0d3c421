using System.Buffers;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb.Tests;

/// <summary>Viewers that take loss get it for what moves, and the exact picture once it is still.</summary>
public sealed class LossTests
{
    private static readonly RfbServerOptions s_options = new() { Name = "desk", Codecs = new AverageCodecs() };

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
        public IReadOnlyList<string> Missing => [];

        public IJpegEncoder TryJpeg() => this;

        public IH264Encoder? TryH264(int width, int height, H264Settings settings) => null;

        public void Encode(ReadOnlySpan<byte> bgrx, int width, int height, int stride, int quality, bool subsample, IBufferWriter<byte> to)
        {
            Assert.InRange(quality, 1, 100);
            Assert.True(bgrx.Length >= ((height - 1) * stride) + (width * 4));
            to.Write(bgrx[..3]);
        }

        public void Dispose()
        {
        }
    }
}
