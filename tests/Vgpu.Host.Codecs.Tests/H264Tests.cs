using System.Buffers;
using Vgpu.Host.Codecs.Interop;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Host.Codecs.Tests;

/// <summary>What both encoders make, as FFmpeg decodes it.</summary>
public sealed class H264Tests
{
    private const string None = "libvgpu-none.so";

    public static TheoryData<string, int, int> Sizes
    {
        get
        {
            var sizes = new TheoryData<string, int, int>();
            foreach (string library in (string[])[OpenH264.Name, X264.Name])
            {
                foreach ((int width, int height) in ((int, int)[])[(64, 48), (63, 47), (17, 33), (640, 480), (1366, 768), (1920, 1080), (321, 16)])
                {
                    sizes.Add(library, width, height);
                }
            }

            return sizes;
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Every_frame_comes_back_as_it_was_drawn(string library, int width, int height)
    {
        using var folder = new TemporaryFolder();
        using IH264Encoder encoder = Create(library, width, height);
        var stream = new ArrayBufferWriter<byte>();
        const int frames = 4;
        for (int i = 0; i < frames; i++)
        {
            Assert.Equal(i == 0, encoder.Encode(TestPicture.Draw(width, height, i), width * 4, keyFrame: false, stream));
        }

        (int decodedWidth, int decodedHeight) = (width + (width & 1), height + (height & 1));
        byte[] decoded = Decode(folder, stream.WrittenSpan);
        int picture = decodedWidth * decodedHeight * 4;
        Assert.Equal(frames * picture, decoded.Length);
        for (int i = 0; i < frames; i++)
        {
            double psnr = TestPicture.Psnr(TestPicture.Draw(width, height, i), width, height, decoded.AsSpan(i * picture, picture), decodedWidth);
            Assert.True(psnr > 27, $"frame {i} of {width}x{height}: {psnr:F1} dB");
        }
    }

    [Theory]
    [InlineData(OpenH264.Name)]
    [InlineData(X264.Name)]
    public void A_key_frame_is_made_on_demand_and_a_decoder_can_start_there(string library)
    {
        using var folder = new TemporaryFolder();
        using IH264Encoder encoder = Create(library, 128, 96);
        var stream = new ArrayBufferWriter<byte>();
        bool[] keys = [.. Enumerable.Range(0, 8).Select(i =>
        {
            if (i == 5)
            {
                stream.ResetWrittenCount();
            }

            return encoder.Encode(TestPicture.Draw(128, 96, i), 128 * 4, keyFrame: i == 5, stream);
        })];

        Assert.Equal([true, false, false, false, false, true, false, false], keys);
        byte[] decoded = Decode(folder, stream.WrittenSpan);
        Assert.Equal(3 * 128 * 96 * 4, decoded.Length);
        Assert.True(TestPicture.Psnr(TestPicture.Draw(128, 96, 5), 128, 96, decoded, 128) > 27);
    }

    [Theory]
    [InlineData(OpenH264.Name, 255, 0, 0)]
    [InlineData(OpenH264.Name, 0, 128, 255)]
    [InlineData(X264.Name, 255, 0, 0)]
    [InlineData(X264.Name, 0, 128, 255)]
    public void A_flat_colour_keeps_its_colour(string library, byte red, byte green, byte blue)
    {
        using var folder = new TemporaryFolder();
        using IH264Encoder encoder = Create(library, 64, 64);
        var pixels = new byte[64 * 64 * 4];
        for (int i = 0; i < pixels.Length; i += 4)
        {
            (pixels[i], pixels[i + 1], pixels[i + 2]) = (blue, green, red);
        }

        var stream = new ArrayBufferWriter<byte>();
        encoder.Encode(pixels, 64 * 4, keyFrame: true, stream);

        byte[] decoded = Decode(folder, stream.WrittenSpan);
        Assert.InRange(decoded[0], blue - 8, blue + 8);
        Assert.InRange(decoded[1], green - 8, green + 8);
        Assert.InRange(decoded[2], red - 8, red + 8);
    }

    [Theory]
    [InlineData(OpenH264.Name)]
    [InlineData(X264.Name)]
    public void Quality_and_bit_rate_are_obeyed(string library)
    {
        int Bytes(H264Settings settings)
        {
            using IH264Encoder encoder = Create(library, 320, 240, settings);
            var stream = new ArrayBufferWriter<byte>();
            var random = new Random(1);
            var pixels = new byte[320 * 240 * 4];
            for (int i = 0; i < 30; i++)
            {
                random.NextBytes(pixels.AsSpan(0, pixels.Length / 16));
                encoder.Encode(pixels, 320 * 4, keyFrame: false, stream);
            }

            return stream.WrittenCount;
        }

        Assert.True(Bytes(new H264Settings { Quality = 10 }) * 2 < Bytes(new H264Settings { Quality = 95 }));
        (int slow, int fast) = (Bytes(new H264Settings { BitsPerSecond = 200_000 }), Bytes(new H264Settings { BitsPerSecond = 4_000_000 }));
        Assert.True(slow * 2 < fast, $"{slow} and {fast} bytes a second");
    }

    [Theory]
    [InlineData(OpenH264.Name)]
    [InlineData(X264.Name)]
    public void A_frame_allocates_nothing(string library)
    {
        using IH264Encoder encoder = Create(library, 320, 240);
        byte[] pixels = TestPicture.Draw(320, 240);
        var stream = new ArrayBufferWriter<byte>(1 << 22);
        encoder.Encode(pixels, 320 * 4, keyFrame: false, stream);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20; i++)
        {
            encoder.Encode(pixels, 320 * 4, keyFrame: i % 5 == 0, stream);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData(OpenH264.Name)]
    [InlineData(X264.Name)]
    public void Pixels_that_do_not_fit_are_refused_and_nothing_is_written(string library)
    {
        using IH264Encoder encoder = Create(library, 64, 64);
        var stream = new ArrayBufferWriter<byte>();
        Assert.Throws<ArgumentException>(() => encoder.Encode(new byte[(64 * 64 * 4) - 1], 64 * 4, keyFrame: false, stream));
        Assert.Throws<ArgumentException>(() => encoder.Encode(new byte[64 * 64 * 4], (64 * 4) - 4, keyFrame: false, stream));
        encoder.Dispose();
        Assert.Throws<ObjectDisposedException>(() => encoder.Encode(new byte[64 * 64 * 4], 64 * 4, keyFrame: false, stream));
        Assert.Equal(0, stream.WrittenCount);
    }

    [Fact]
    public void A_size_that_openh264_refuses_is_x264s()
    {
        Assert.Null(new PictureCodecs(None, OpenH264.Name, None).TryH264(8192, 4320, new H264Settings()));
        using IH264Encoder? encoder = PictureCodecs.Host.TryH264(8192, 4320, new H264Settings());
        Assert.IsType<X264Encoder>(encoder);
    }

    private static IH264Encoder Create(string library, int width, int height, H264Settings? settings = null)
    {
        var codecs = new PictureCodecs(None, library == OpenH264.Name ? library : None, library == X264.Name ? library : None);
        IH264Encoder? encoder = codecs.TryH264(width, height, settings ?? new H264Settings { Quality = 90 });
        Assert.NotNull(encoder);
        Assert.Equal((width, height), (encoder.Width, encoder.Height));
        return encoder;
    }

    private static byte[] Decode(TemporaryFolder folder, ReadOnlySpan<byte> annexB)
    {
        string raw = folder.File("out.raw");
        File.WriteAllBytes(folder.File("in.h264"), annexB);
        (int status, string output) = Shell.Run("ffmpeg", "-v", "error", "-y", "-i", folder.File("in.h264"), "-vsync", "passthrough", "-sws_flags", "accurate_rnd+full_chroma_int", "-pix_fmt", "bgr0", "-f", "rawvideo", raw);
        Assert.Equal((0, string.Empty), (status, output));
        return File.ReadAllBytes(raw);
    }
}
