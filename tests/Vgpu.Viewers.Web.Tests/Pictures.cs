using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Viewers.Web.Tests;

/// <summary>Pictures for screens.</summary>
internal static class Pictures
{
    /// <summary>A real guest's: the console of a stock kernel.</summary>
    internal static Picture Console() => PngReader.Read(File.ReadAllBytes(Path.Combine(Repository.Folder, "docs", "demo.png")));

    /// <summary>Hills at dusk.</summary>
    internal static Picture Hills(int width, int height) => Draw(width, height, (x, y) =>
    {
        double across = (double)x / width;
        double down = (double)y / height;
        double sun = Math.Sqrt(Math.Pow((across - 0.68) * width / height, 2) + Math.Pow(down - 0.42, 2));
        (double R, double G, double B) colour = Mix((255, 214, 165), (58, 74, 122), Math.Clamp(1 - (down * 1.7), 0, 1));
        colour = sun < 0.085 ? (255, 244, 214) : Mix((255, 226, 178), colour, Math.Clamp((sun - 0.085) * 3.2, 0, 1));
        for (int hill = 0; hill < 4; hill++)
        {
            double line = 0.5 + (hill * 0.125) + (0.05 * Math.Sin((across * (5 + (hill * 2))) + (hill * 2.1))) + (0.02 * Math.Sin((across * 17) + hill));
            if (down > line)
            {
                colour = Mix((96, 108, 148), (22, 40, 58), hill / 3.0);
            }
        }

        return colour;
    });

    /// <summary>A desktop: a wallpaper, a panel and two windows.</summary>
    internal static Picture Desktop(int width, int height) => Draw(width, height, (x, y) =>
    {
        (double R, double G, double B) colour = Mix((18, 86, 104), (92, 178, 176), ((double)x / width * 0.6) + ((double)y / height * 0.4));
        if (y < 28)
        {
            return x is > 12 and < 84 && y is > 9 and < 19 ? (230, 240, 242) : (16, 32, 40);
        }

        colour = Window(x - (width * 0.08), y - (height * 0.14), width * 0.5, height * 0.58, (250, 251, 252), (206, 214, 219), colour);
        return Window(x - (width * 0.4), y - (height * 0.36), width * 0.5, height * 0.52, (26, 34, 42), (96, 190, 150), colour);
    });

    internal static Picture Flat(int width, int height, byte red, byte green, byte blue) => Draw(width, height, (_, _) => (red, green, blue));

    private static (double R, double G, double B) Window(double x, double y, double width, double height, (double, double, double) paper, (double, double, double) ink, (double R, double G, double B) below)
    {
        if (x < 0 || y < 0 || x > width || y > height)
        {
            bool shadow = x > 4 && y > 8 && x < width + 10 && y < height + 12;
            return shadow ? Mix(below, (0, 0, 0), 0.28) : below;
        }

        if (y < 30)
        {
            bool button = Math.Pow(x - width + 18, 2) + Math.Pow(y - 15, 2) < 36;
            return button ? (226, 104, 92) : (54, 68, 78);
        }

        double line = Math.Floor((y - 46) / 20);
        double length = (0.35 + (0.5 * Math.Abs(Math.Sin((line * 12.9898) + 1)))) * width;
        return y > 46 && (y - 46) % 20 < 8 && x > 24 && x < length && y < height - 24 && (x % 58) > 8 ? ink : paper;
    }

    private static (double R, double G, double B) Mix((double R, double G, double B) a, (double R, double G, double B) b, double share) =>
        (a.R + ((b.R - a.R) * share), a.G + ((b.G - a.G) * share), a.B + ((b.B - a.B) * share));

    private static Picture Draw(int width, int height, Func<int, int, (double R, double G, double B)> colour)
    {
        var pixels = new byte[width * height * Surface.BytesPerPixel];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                (double red, double green, double blue) = colour(x, y);
                int at = ((y * width) + x) * Surface.BytesPerPixel;
                (pixels[at], pixels[at + 1], pixels[at + 2], pixels[at + 3]) = ((byte)blue, (byte)green, (byte)red, 255);
            }
        }

        return new Picture(width, height, pixels);
    }
}
