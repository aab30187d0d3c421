using System.Globalization;
using Vgpu.Testing;

namespace Vgpu.Viewers.Recording.Tests;

// A film as FFmpeg plays it, and pictures to tell apart.
internal static class Film
{
    // A slope of green under one flat colour of a few, by number.
    internal static byte[] Picture(int width, int height, int number)
    {
        var pixels = new byte[width * height * 4];
        for (int i = 0; i < width * height; i++)
        {
            pixels[i * 4] = (byte)(number * 60);
            pixels[(i * 4) + 1] = (byte)(i % width * 255 / width);
            pixels[(i * 4) + 2] = (byte)(255 - (number * 60));
            pixels[(i * 4) + 3] = 255;
        }

        return pixels;
    }

    internal static byte[][] Frames(string path, TemporaryFolder folder, int width, int height)
    {
        string raw = folder.File("film.raw");
        (_, string output) = Shell.Run("ffmpeg", "-v", "fatal", "-y", "-i", path, "-vsync", "passthrough", "-sws_flags", "accurate_rnd+full_chroma_int", "-pix_fmt", "bgr0", "-f", "rawvideo", raw);
        Assert.Equal(string.Empty, output);
        byte[] all = File.ReadAllBytes(raw);
        int length = width * height * 4;
        Assert.Equal(0, all.Length % length);
        return [.. all.Chunk(length)];
    }

    internal static double[] Times(string path)
    {
        (int status, string output) = Shell.Run("ffprobe", "-v", "error", "-show_entries", "frame=pts_time", "-of", "csv=p=0", path);
        Assert.Equal(0, status);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => double.Parse(line.TrimEnd(','), CultureInfo.InvariantCulture))];
    }

    // The mean of what colours are off by.
    internal static double Error(byte[] expected, byte[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        long sum = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            sum += i % 4 == 3 ? 0 : Math.Abs(expected[i] - actual[i]);
        }

        return sum / (expected.Length * 0.75);
    }
}
