using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// Where a viewer's picture is not exact, by fields of the screen, and since when: what stays still for a while is sent again
/// without loss. Not thread-safe.
/// </summary>
internal sealed class LossyFields
{
    /// <summary>How long a field stays as it is before it is worth its exact pixels.</summary>
    internal const long QuietMilliseconds = 250;

    private const int Side = 256;
    private const int MostAtOnce = 8;

    private readonly Dictionary<(int X, int Y), (Rect Rect, long Since)> _fields = [];
    private readonly List<(int X, int Y)> _quiet = [];

    internal bool IsEmpty => _fields.Count == 0;

    internal void Clear() => _fields.Clear();

    /// <summary>This, within one field, was sent with loss now.</summary>
    internal void Add(Rect rect, long now)
    {
        (int, int) key = KeyOf(rect);
        _fields[key] = (rect.Union(_fields.GetValueOrDefault(key).Rect), now);
    }

    /// <summary>This, within one field, was sent exactly.</summary>
    internal void Remove(Rect rect)
    {
        (int, int) key = KeyOf(rect);
        if (_fields.TryGetValue(key, out (Rect Rect, long Since) field) && rect.Contains(field.Rect))
        {
            _fields.Remove(key);
        }
    }

    /// <summary>Adds some of those that have been quiet; the milliseconds until the next one will be, -1 for none.</summary>
    internal long TakeQuiet(Rect within, long now, List<Rect> to)
    {
        _quiet.Clear();
        long next = -1;
        foreach (((int X, int Y) key, (Rect rect, long since)) in _fields)
        {
            long wait = since + QuietMilliseconds - now;
            if (wait <= 0 && _quiet.Count < MostAtOnce && within.Contains(rect))
            {
                to.Add(rect);
                _quiet.Add(key);
            }
            else if (within.Contains(rect))
            {
                next = next < 0 ? Math.Max(wait, 1) : Math.Min(next, Math.Max(wait, 1));
            }
        }

        foreach ((int, int) key in _quiet)
        {
            _fields.Remove(key);
        }

        return next;
    }

    private static (int X, int Y) KeyOf(Rect rect) => (rect.X / Side, rect.Y / Side);
}
