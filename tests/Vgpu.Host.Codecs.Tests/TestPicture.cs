namespace Vgpu.Host.Codecs.Tests;

// Pictures that say where they are wrong: a slope of colours with a flat block that moves by the frame's number.
internal static class TestPicture
{
    internal static byte[] Draw(int width, int height, int frame = 0, int stride = 0)
    {
        stride = stride == 0 ? width * 4 : stride;
        var pixels = new byte[((height - 1) * stride) + (width * 4)];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                bool inBlock = x / 16 == frame % Math.Max(1, width / 16) && y < 16;
                Span<byte> pixel = pixels.AsSpan((y * stride) + (x * 4), 4);
                pixel[0] = inBlock ? (byte)200 : (byte)(x * 255 / Math.Max(1, width - 1));
                pixel[1] = inBlock ? (byte)30 : (byte)(y * 255 / Math.Max(1, height - 1));
                pixel[2] = inBlock ? (byte)30 : (byte)(128 - (x * 64 / width));
                pixel[3] = 255;
            }
        }

        return pixels;
    }

    // In decibels over the three colours; the decoded picture may be wider and higher.
    internal static double Psnr(ReadOnlySpan<byte> bgrx, int width, int height, ReadOnlySpan<byte> decoded, int decodedWidth)
    {
        double sum = 0;
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width * 4; x++)
            {
                if (x % 4 != 3)
                {
                    double error = bgrx[(y * width * 4) + x] - decoded[(y * decodedWidth * 4) + x];
                    sum += error * error;
                }
            }
        }

        return sum == 0 ? 99 : 10 * Math.Log10(255.0 * 255 * width * height * 3 / sum);
    }
}
