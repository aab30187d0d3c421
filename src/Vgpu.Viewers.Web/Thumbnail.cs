using Vgpu.Screens;

namespace Vgpu.Viewers.Web;

/// <summary>A small picture of a large one: every pixel is the mean of those that it stands for.</summary>
internal static class Thumbnail
{
    internal const int MostWidth = 480;
    internal const int MostHeight = 300;

    /// <summary>The picture itself where it is small already.</summary>
    internal static Picture Of(Picture picture)
    {
        double scale = Math.Min(1, Math.Min((double)MostWidth / picture.Width, (double)MostHeight / picture.Height));
        if (scale == 1)
        {
            return picture;
        }

        int width = Math.Max(1, (int)Math.Round(picture.Width * scale));
        int height = Math.Max(1, (int)Math.Round(picture.Height * scale));
        var pixels = new byte[width * height * Surface.BytesPerPixel];
        var sums = new uint[width * 3];
        int[] columns = [.. Enumerable.Range(0, width + 1).Select(x => (int)((long)x * picture.Width / width))];
        for (int y = 0; y < height; y++)
        {
            int top = (int)((long)y * picture.Height / height);
            int bottom = (int)((long)(y + 1) * picture.Height / height);
            Array.Clear(sums);
            for (int row = top; row < bottom; row++)
            {
                Add(picture.Pixels.Span.Slice(row * picture.Width * Surface.BytesPerPixel, picture.Width * Surface.BytesPerPixel), columns, sums);
            }

            Divide(sums, columns, bottom - top, pixels.AsSpan(y * width * Surface.BytesPerPixel, width * Surface.BytesPerPixel));
        }

        return new Picture(width, height, pixels);
    }

    private static void Add(ReadOnlySpan<byte> row, int[] columns, uint[] sums)
    {
        for (int x = 0; x + 1 < columns.Length; x++)
        {
            uint blue = 0;
            uint green = 0;
            uint red = 0;
            ReadOnlySpan<byte> part = row[(columns[x] * 4)..(columns[x + 1] * 4)];
            for (int i = 0; i + 3 < part.Length; i += 4)
            {
                blue += part[i];
                green += part[i + 1];
                red += part[i + 2];
            }

            sums[x * 3] += blue;
            sums[(x * 3) + 1] += green;
            sums[(x * 3) + 2] += red;
        }
    }

    private static void Divide(uint[] sums, int[] columns, int rows, Span<byte> target)
    {
        for (int x = 0; x + 1 < columns.Length; x++)
        {
            uint count = (uint)((columns[x + 1] - columns[x]) * rows);
            for (int i = 0; i < 3; i++)
            {
                target[(x * 4) + i] = (byte)((sums[(x * 3) + i] + (count / 2)) / count);
            }

            target[(x * 4) + 3] = 255;
        }
    }
}
