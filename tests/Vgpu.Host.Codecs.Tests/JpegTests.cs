using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Host.Codecs.Tests;

/// <summary>What the JPEG encoder makes, as djpeg decodes it.</summary>
public sealed class JpegTests
{
    [Theory]
    [InlineData(64, 48, true)]
    [InlineData(64, 48, false)]
    [InlineData(1, 1, true)]
    [InlineData(17, 31, true)]
    [InlineData(1920, 1080, false)]
    public void A_picture_comes_back_as_it_was_drawn(int width, int height, bool subsample)
    {
        using var folder = new TemporaryFolder();
        using IJpegEncoder encoder = Create();
        int stride = (width * 4) + 64;
        var jpeg = new ArrayBufferWriter<byte>();

        encoder.Encode(TestPicture.Draw(width, height, 0, stride), width, height, stride, 90, subsample, jpeg);

        (int decodedWidth, int decodedHeight, byte[] decoded) = Decode(folder, jpeg.WrittenSpan);
        Assert.Equal((width, height), (decodedWidth, decodedHeight));
        double psnr = TestPicture.Psnr(TestPicture.Draw(width, height), width, height, decoded, width);
        Assert.True(psnr > 30, $"{psnr:F1} dB");
    }

    [Fact]
    public void One_encoder_makes_pictures_of_many_sizes_and_then_allocates_nothing()
    {
        using IJpegEncoder encoder = Create();
        var jpeg = new ArrayBufferWriter<byte>(1 << 22);
        byte[] pixels = TestPicture.Draw(256, 256);
        encoder.Encode(pixels, 256, 256, 1024, 80, subsample: false, jpeg);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int size = 1; size <= 256; size += 5)
        {
            encoder.Encode(pixels, size, size, 1024, 80, subsample: size % 2 == 0, jpeg);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_lower_quality_is_a_smaller_picture()
    {
        using IJpegEncoder encoder = Create();
        var jpeg = new ArrayBufferWriter<byte>();
        byte[] pixels = TestPicture.Draw(320, 240);
        encoder.Encode(pixels, 320, 240, 1280, 95, subsample: false, jpeg);
        int fine = jpeg.WrittenCount;
        jpeg.ResetWrittenCount();
        encoder.Encode(pixels, 320, 240, 1280, 20, subsample: true, jpeg);
        Assert.True(jpeg.WrittenCount * 2 < fine);
    }

    [Fact]
    public void A_picture_carries_Huffman_tables_of_its_own()
    {
        using IJpegEncoder encoder = Create();
        var jpeg = new ArrayBufferWriter<byte>();
        encoder.Encode(TestPicture.Draw(320, 240), 320, 240, 1280, 40, subsample: true, jpeg);

        // Four tables, of 12 and 162 values in every picture (ITU-T T.81, K.3): 432 bytes with their headers.
        int tables = 0;
        ReadOnlySpan<byte> rest = jpeg.WrittenSpan[2..];
        for (; rest[1] != 0xda; rest = rest[(2 + BinaryPrimitives.ReadUInt16BigEndian(rest[2..]))..])
        {
            tables += rest[1] == 0xc4 ? 2 + BinaryPrimitives.ReadUInt16BigEndian(rest[2..]) : 0;
        }

        Assert.InRange(tables, 1, 300);
    }

    [Fact]
    public void Pixels_or_a_quality_that_do_not_fit_are_refused()
    {
        using IJpegEncoder encoder = Create();
        var jpeg = new ArrayBufferWriter<byte>();
        Assert.Throws<ArgumentException>(() => encoder.Encode(new byte[63], 4, 4, 16, 80, subsample: false, jpeg));
        Assert.Throws<ArgumentException>(() => encoder.Encode(new byte[64], 0, 4, 16, 80, subsample: false, jpeg));
        Assert.Throws<ArgumentException>(() => encoder.Encode(new byte[64], 4, 4, 12, 80, subsample: false, jpeg));
        Assert.Throws<ArgumentOutOfRangeException>(() => encoder.Encode(new byte[64], 4, 4, 16, 0, subsample: false, jpeg));
        Assert.Equal(0, jpeg.WrittenCount);
    }

    private static IJpegEncoder Create()
    {
        IJpegEncoder? encoder = JpegEncoder.TryCreate(out string? missing);
        Assert.Null(missing);
        return encoder!;
    }

    private static (int Width, int Height, byte[] Bgrx) Decode(TemporaryFolder folder, ReadOnlySpan<byte> jpeg)
    {
        File.WriteAllBytes(folder.File("in.jpg"), jpeg);
        (int status, string output) = Shell.Run("djpeg", "-ppm", "-strict", "-outfile", folder.File("out.ppm"), folder.File("in.jpg"));
        Assert.Equal((0, string.Empty), (status, output));
        byte[] ppm = File.ReadAllBytes(folder.File("out.ppm"));
        string[] header = Encoding.ASCII.GetString(ppm, 0, Math.Min(40, ppm.Length)).Split('\n', 4);
        int[] size = [.. header[1].Split(' ').Select(int.Parse)];
        ReadOnlySpan<byte> rgb = ppm.AsSpan(header[0].Length + header[1].Length + header[2].Length + 3);
        var bgrx = new byte[size[0] * size[1] * 4];
        for (int i = 0; i < size[0] * size[1]; i++)
        {
            (bgrx[i * 4], bgrx[(i * 4) + 1], bgrx[(i * 4) + 2]) = (rgb[(i * 3) + 2], rgb[(i * 3) + 1], rgb[i * 3]);
        }

        return (size[0], size[1], bgrx);
    }
}
