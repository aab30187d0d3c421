using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// The part of the screen that moves like a film: found by how often fields of it change for the most part, and given up
/// once they are still. Not thread-safe.
/// </summary>
internal sealed class MovingArea
{
    private const int Side = 256;
    private const int MinChange = 128 * 96;
    private const int MinStreak = 10;
    private const int MinSide = 64;
    private const long MostBetween = 250;
    private const long StillMilliseconds = 1000;

    private readonly Dictionary<(int X, int Y), (int Streak, long Last, Rect Changed)> _fields = [];

    /// <summary>Where it is; empty where nothing moves.</summary>
    internal Rect Area { get; private set; }

    /// <summary>These places have new pixels now; calls of one moment are one change.</summary>
    internal void Note(ReadOnlySpan<Rect> changed, long now)
    {
        foreach (Rect rect in changed)
        {
            for (int y = rect.Y / Side; y * Side < rect.Bottom; y++)
            {
                for (int x = rect.X / Side; x * Side < rect.Right; x++)
                {
                    Note((x, y), rect.Intersect(new Rect(x * Side, y * Side, Side, Side)), rect.Area >= 4 * MinChange, now);
                }
            }
        }
    }

    /// <summary>This has moved as a whole, such as a page: that is no film.</summary>
    internal void Scrolled(Rect place)
    {
        if (place.Intersect(Area).Area > Area.Area / 2)
        {
            Clear();
        }
    }

    /// <summary>Where the film is from now on.</summary>
    internal void Settle(Rect bounds, long now)
    {
        Rect moving = default;
        foreach ((int streak, long last, Rect changed) in _fields.Values)
        {
            if (streak >= MinStreak && now - last <= StillMilliseconds)
            {
                moving = moving.Union(changed);
            }
        }

        moving = moving.Intersect(bounds);
        if (moving.IsEmpty)
        {
            Area = default;
        }
        else if (!Area.Contains(moving) && moving is { Width: >= MinSide, Height: >= MinSide })
        {
            Area = moving.Union(Area).Intersect(bounds);
        }
    }

    /// <summary>Forgets what moved: the screen is another one, or shows something else, or nobody looks.</summary>
    internal void Clear()
    {
        Area = default;
        _fields.Clear();
    }

    // Small changes, such as a cursor that blinks or what is typed, are no film; the edge of a large one is.
    private void Note((int X, int Y) key, Rect part, bool isOfLarge, long now)
    {
        if (part.Area < MinChange && !isOfLarge)
        {
            return;
        }

        (int streak, long last, Rect changed) = _fields.GetValueOrDefault(key);
        if (last == now)
        {
            _fields[key] = (streak, now, part.Union(changed));
            return;
        }

        // A film that stutters stays one. Where it is counts from half of the way on: before, all of the screen may have been painted.
        streak = now - last > (part.Intersect(Area).IsEmpty ? MostBetween : StillMilliseconds) ? 0 : streak + 1;
        _fields[key] = (streak, now, streak <= MinStreak / 2 ? part : part.Union(changed));
    }
}
