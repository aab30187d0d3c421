using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// Where a viewer's picture is not exact, by fields of the screen, and since when: what stays still for a while is sent again
/// without loss. What changes at a slow pace is waited for longer, so that no picture of a slow film is sent twice. Not
/// thread-safe.
/// </summary>
internal sealed class LossyFields
{
    /// <summary>How long a field stays as it is, at least, before it is worth its exact pixels.</summary>
    internal const long QuietMilliseconds = 250;

    private const long MostQuietMilliseconds = 2000;

    private const int Side = 256;
    private const int MostAtOnce = 8;

    private readonly Dictionary<(int X, int Y), (Rect Rect, long Since, long Quiet)> _fields = [];
    private readonly List<(int X, int Y)> _quiet = [];
    private readonly List<Rect> _pieces = [];
    private int _lossy;

    internal bool IsEmpty => _lossy == 0;

    internal void Clear()
    {
        _fields.Clear();
        _lossy = 0;
    }

    /// <summary>This, within one field, was sent with loss now.</summary>
    internal void Add(Rect rect, long now)
    {
        (int, int) key = KeyOf(rect);
        (Rect before, long since, long quiet) = _fields.GetValueOrDefault(key, (default, long.MinValue / 2, QuietMilliseconds));
        if (now != since)
        {
            long between = 2 * (now - since);
            quiet = between is > QuietMilliseconds and <= MostQuietMilliseconds ? between : QuietMilliseconds;
        }

        _lossy += before.IsEmpty ? 1 : 0;
        _fields[key] = (rect.Union(before), now, quiet);
    }

    /// <summary>What was taken as quiet, and was not sent, is to be taken again.</summary>
    internal void PutBack(Rect rect) => Add(rect, long.MinValue / 4);

    /// <summary>Whether any of this is not exact.</summary>
    internal bool Touches(Rect rect)
    {
        foreach ((Rect lossy, _, _) in _fields.Values)
        {
            if (!lossy.Intersect(rect).IsEmpty)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>All of this was sent with loss now, or copied from where it was.</summary>
    internal void AddAll(Rect rect, long now)
    {
        _pieces.Clear();
        RectCutting.Cut(rect, rect with { X = 0, Y = 0, Width = rect.Right, Height = rect.Bottom }, (Side, Side), _pieces);
        foreach (Rect piece in _pieces)
        {
            Add(piece, now);
        }
    }

    /// <summary>This, within one field, was sent exactly.</summary>
    internal void Remove(Rect rect)
    {
        (int, int) key = KeyOf(rect);
        if (_fields.TryGetValue(key, out (Rect Rect, long, long) field) && rect.Contains(field.Rect))
        {
            Forget(key);
        }
    }

    /// <summary>Adds some of those that have been quiet; the milliseconds until the next one will be, -1 for none.</summary>
    internal long TakeQuiet(Rect within, long now, List<Rect> to)
    {
        _quiet.Clear();
        long next = -1;
        foreach (((int X, int Y) key, (Rect rect, long since, long quiet)) in _fields)
        {
            long wait = since + quiet - now;
            if (rect.IsEmpty)
            {
                continue;
            }

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
            Forget(key);
        }

        return next;
    }

    // Since when it is as it is stays known.
    private void Forget((int X, int Y) key)
    {
        if (!_fields[key].Rect.IsEmpty)
        {
            _fields[key] = _fields[key] with { Rect = default };
            _lossy--;
        }
    }

    private static (int X, int Y) KeyOf(Rect rect) => (rect.X / Side, rect.Y / Side);
}
