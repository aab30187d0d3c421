using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>Cuts rectangles into what an encoding takes.</summary>
internal static class RectCutting
{
    /// <summary>
    /// Adds the pieces of <paramref name="rect"/>: each lies within one field of the grid, and either within
    /// <paramref name="picture"/> or outside of it.
    /// </summary>
    internal static void Cut(Rect rect, Rect picture, (int Width, int Height) grid, List<Rect> to)
    {
        Rect inside = rect.Intersect(picture);
        AddPieces(inside, grid, to);
        if (inside != rect)
        {
            int right = Math.Max(rect.X, picture.Right);
            int bottom = Math.Max(rect.Y, picture.Bottom);
            AddPieces(new Rect(right, rect.Y, rect.Right - right, rect.Height), grid, to);
            AddPieces(new Rect(rect.X, bottom, Math.Min(rect.Right, right) - rect.X, rect.Bottom - bottom), grid, to);
        }
    }

    /// <summary>Adds what of <paramref name="rect"/> lies outside of <paramref name="hole"/>.</summary>
    internal static void CutOut(Rect rect, Rect hole, List<Rect> to)
    {
        Rect common = rect.Intersect(hole);
        if (common.IsEmpty)
        {
            to.Add(rect);
            return;
        }

        ReadOnlySpan<Rect> parts =
        [
            rect with { Height = common.Y - rect.Y },
            new Rect(rect.X, common.Bottom, rect.Width, rect.Bottom - common.Bottom),
            new Rect(rect.X, common.Y, common.X - rect.X, common.Height),
            new Rect(common.Right, common.Y, rect.Right - common.Right, common.Height),
        ];
        foreach (Rect part in parts)
        {
            if (!part.IsEmpty)
            {
                to.Add(part);
            }
        }
    }

    private static void AddPieces(Rect rect, (int Width, int Height) grid, List<Rect> to)
    {
        if (rect.IsEmpty)
        {
            return;
        }

        for (int y = rect.Y; y < rect.Bottom;)
        {
            int bottom = Math.Min(((y / grid.Height) + 1) * grid.Height, rect.Bottom);
            for (int x = rect.X; x < rect.Right;)
            {
                int right = Math.Min(((x / grid.Width) + 1) * grid.Width, rect.Right);
                to.Add(new Rect(x, y, right - x, bottom - y));
                x = right;
            }

            y = bottom;
        }
    }
}
