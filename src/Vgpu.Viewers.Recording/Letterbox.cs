using System.Runtime.InteropServices;
using Vgpu.Screens;

namespace Vgpu.Viewers.Recording;

// Fits a picture of another size into that of the film: its shape kept, the nearest pixel taken, black beside it.
internal static class Letterbox
{
    private const uint Black = 0xff000000;

    internal static void Fit(ReadOnlySpan<byte> picture, int width, int height, Span<byte> target, int targetWidth, int targetHeight)
    {
        if (width == targetWidth && height == targetHeight)
        {
            picture[..target.Length].CopyTo(target);
            return;
        }

        ReadOnlySpan<uint> from = MemoryMarshal.Cast<byte, uint>(picture);
        Span<uint> to = MemoryMarshal.Cast<byte, uint>(target);
        Rect box = BoxOf(width, height, targetWidth, targetHeight);
        to.Fill(Black);
        for (int y = 0; y < box.Height; y++)
        {
            ReadOnlySpan<uint> row = from.Slice((int)((long)y * height / box.Height) * width, width);
            Span<uint> line = to.Slice(((box.Y + y) * targetWidth) + box.X, box.Width);
            for (int x = 0; x < line.Length; x++)
            {
                line[x] = row[(int)((long)x * width / box.Width)];
            }
        }
    }

    // Where the picture lies in the film.
    internal static Rect BoxOf(int width, int height, int targetWidth, int targetHeight)
    {
        bool isWider = (long)width * targetHeight > (long)height * targetWidth;
        int across = isWider ? targetWidth : Math.Max(1, (int)((long)width * targetHeight / height));
        int down = isWider ? Math.Max(1, (int)((long)height * targetWidth / width)) : targetHeight;
        return new Rect((targetWidth - across) / 2, (targetHeight - down) / 2, across, down);
    }
}
