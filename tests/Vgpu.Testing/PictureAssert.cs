using System.Runtime.InteropServices;
using Vgpu.Screens;

namespace Vgpu.Testing;

/// <summary>Says where two pictures differ, not only that they do. The unused fourth byte does not count.</summary>
public static class PictureAssert
{
    private const double MostDistance = 4;

    public static void Same(Picture expected, Picture actual)
    {
        Assert.Equal((expected.Width, expected.Height), (actual.Width, actual.Height));
        (int different, int first) = Compare(expected, actual);
        Assert.True(
            different == 0,
            different == 0 ? string.Empty : $"{different} of {expected.Width * expected.Height} pixels differ; the first at {first % expected.Width},{first / expected.Width}: {Pixel(expected, first):x6} expected, {Pixel(actual, first):x6} shown");
    }

    public static bool AreSame(Picture expected, Picture actual) =>
        (expected.Width, expected.Height) == (actual.Width, actual.Height) && Compare(expected, actual).Different == 0;

    /// <summary>As far as a lossy picture of high quality can be: the green of a pixel is off by 4 of 255 at most, on average.</summary>
    public static void Near(Picture expected, Picture actual)
    {
        Assert.Equal((expected.Width, expected.Height), (actual.Width, actual.Height));
        Assert.InRange(Distance(expected, actual), 0, MostDistance);
    }

    public static bool AreNear(Picture expected, Picture actual) =>
        (expected.Width, expected.Height) == (actual.Width, actual.Height) && Distance(expected, actual) <= MostDistance;

    /// <summary>More than a blank screen: at least this many pixels differ from the first.</summary>
    public static void HasContent(Picture picture, int atLeast = 500)
    {
        ReadOnlySpan<uint> pixels = MemoryMarshal.Cast<byte, uint>(picture.Pixels.Span);
        int different = 0;
        foreach (uint pixel in pixels)
        {
            different += ((pixel ^ pixels[0]) & 0xffffff) != 0 ? 1 : 0;
        }

        Assert.True(different >= atLeast, $"the {picture.Width}x{picture.Height} picture is blank but for {different} pixels");
    }

    private static double Distance(Picture expected, Picture actual)
    {
        long off = 0;
        for (int i = 1; i < expected.Pixels.Length; i += 4)
        {
            off += Math.Abs(expected.Pixels.Span[i] - actual.Pixels.Span[i]);
        }

        return off / ((double)expected.Width * expected.Height);
    }

    private static (int Different, int First) Compare(Picture expected, Picture actual)
    {
        ReadOnlySpan<uint> wanted = MemoryMarshal.Cast<byte, uint>(expected.Pixels.Span);
        ReadOnlySpan<uint> got = MemoryMarshal.Cast<byte, uint>(actual.Pixels.Span);
        int different = 0;
        int first = -1;
        for (int i = 0; i < wanted.Length; i++)
        {
            if (((wanted[i] ^ got[i]) & 0xffffff) != 0)
            {
                different++;
                first = first < 0 ? i : first;
            }
        }

        return (different, first);
    }

    private static uint Pixel(Picture picture, int index) => MemoryMarshal.Cast<byte, uint>(picture.Pixels.Span)[index] & 0xffffff;
}
