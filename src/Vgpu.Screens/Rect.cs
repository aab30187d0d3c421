namespace Vgpu.Screens;

/// <summary>
/// A rectangle of pixels; the origin is the top left corner. Any four numbers are allowed, as a guest may send them:
/// edges saturate instead of wrapping.
/// </summary>
public readonly record struct Rect(int X, int Y, int Width, int Height)
{
    public bool IsEmpty => Width <= 0 || Height <= 0;

    /// <summary>The first column past it; at most <see cref="int.MaxValue"/>.</summary>
    public int Right => (int)Math.Clamp((long)X + Width, int.MinValue, int.MaxValue);

    /// <summary>The first row past it; at most <see cref="int.MaxValue"/>.</summary>
    public int Bottom => (int)Math.Clamp((long)Y + Height, int.MinValue, int.MaxValue);

    /// <summary>Pixels; 0 where empty.</summary>
    public long Area => IsEmpty ? 0 : (long)Width * Height;

    /// <summary>Whether every pixel of <paramref name="other"/> is in this one; an empty one is in any.</summary>
    public bool Contains(Rect other) =>
        other.IsEmpty || (!IsEmpty && other.X >= X && other.Y >= Y && other.Right <= Right && other.Bottom <= Bottom);

    /// <summary>What both have; empty where they do not touch.</summary>
    public Rect Intersect(Rect other)
    {
        int left = Math.Max(X, other.X);
        int top = Math.Max(Y, other.Y);
        int right = Math.Min(Right, other.Right);
        int bottom = Math.Min(Bottom, other.Bottom);
        return right <= left || bottom <= top ? default : Between(left, top, right, bottom);
    }

    /// <summary>The smallest rectangle that holds both.</summary>
    public Rect Union(Rect other)
    {
        if (IsEmpty)
        {
            return other;
        }

        if (other.IsEmpty)
        {
            return this;
        }

        return Between(Math.Min(X, other.X), Math.Min(Y, other.Y), Math.Max(Right, other.Right), Math.Max(Bottom, other.Bottom));
    }

    internal static Rect Between(int left, int top, int right, int bottom) =>
        new(left, top, (int)Math.Min((long)right - left, int.MaxValue), (int)Math.Min((long)bottom - top, int.MaxValue));
}
