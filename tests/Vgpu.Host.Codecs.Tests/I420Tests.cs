using System.Runtime.InteropServices;

namespace Vgpu.Host.Codecs.Tests;

/// <summary>The conversion to 4:2:0 against BT.601 in floating point, in and out of vectors.</summary>
public sealed unsafe class I420Tests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(15, 3)]
    [InlineData(16, 2)]
    [InlineData(33, 5)]
    [InlineData(130, 7)]
    public void Every_sample_is_BT_601s(int width, int height)
    {
        var random = new Random((width * 1000) + height);
        var pixels = new byte[width * height * 4];
        random.NextBytes(pixels);
        using var picture = new I420Picture(width, height);
        picture.Fill(pixels, width * 4);

        for (int y = 0; y < picture.Height; y++)
        {
            for (int x = 0; x < picture.Width; x++)
            {
                (double b, double g, double r) = At(pixels, width, height, x, y);
                Assert.InRange(picture.Y[(y * picture.LumaStride) + x], 16 + (((65.481 * r) + (128.553 * g) + (24.966 * b)) / 255) - 1.5, 16 + (((65.481 * r) + (128.553 * g) + (24.966 * b)) / 255) + 1.5);
            }
        }

        for (int y = 0; y < picture.Height / 2; y++)
        {
            for (int x = 0; x < picture.Width / 2; x++)
            {
                (double B, double G, double R)[] four = [At(pixels, width, height, 2 * x, 2 * y), At(pixels, width, height, (2 * x) + 1, 2 * y), At(pixels, width, height, 2 * x, (2 * y) + 1), At(pixels, width, height, (2 * x) + 1, (2 * y) + 1)];
                (double b, double g, double r) = (four.Average(p => p.B), four.Average(p => p.G), four.Average(p => p.R));
                double u = 128 + (((-37.797 * r) - (74.203 * g) + (112 * b)) / 255);
                double v = 128 + (((112 * r) - (93.786 * g) - (18.214 * b)) / 255);
                Assert.InRange(picture.U[(y * picture.ChromaStride) + x], u - 1.8, u + 1.8);
                Assert.InRange(picture.V[(y * picture.ChromaStride) + x], v - 1.8, v + 1.8);
            }
        }
    }

    [Fact]
    public void Vectors_and_single_pixels_give_the_same_bytes()
    {
        var random = new Random(7);
        var upper = new uint[64];
        var lower = new uint[64];
        random.NextBytes(MemoryMarshal.AsBytes(upper.AsSpan()));
        random.NextBytes(MemoryMarshal.AsBytes(lower.AsSpan()));
        byte[] luma = new byte[64], u = new byte[32], v = new byte[32], one = new byte[2], oneU = new byte[1], oneV = new byte[1];
        BgrxToI420.Luma(upper, luma);
        BgrxToI420.Chroma(upper, lower, u, v);
        for (int x = 0; x < 64; x += 2)
        {
            BgrxToI420.Luma(upper.AsSpan(x, 2), one);
            BgrxToI420.Chroma(upper.AsSpan(x, 2), lower.AsSpan(x, 2), oneU, oneV);
            Assert.Equal([luma[x], luma[x + 1], u[x / 2], v[x / 2]], [one[0], one[1], oneU[0], oneV[0]]);
        }
    }

    private static (double B, double G, double R) At(byte[] pixels, int width, int height, int x, int y)
    {
        int at = ((Math.Min(y, height - 1) * width) + Math.Min(x, width - 1)) * 4;
        return (pixels[at], pixels[at + 1], pixels[at + 2]);
    }
}
