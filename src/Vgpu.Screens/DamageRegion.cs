namespace Vgpu.Screens;

/// <summary>
/// Damage that has gathered: at most <see cref="Capacity"/> rectangles that do not overlap. Exact until there would be
/// more; then rectangles are joined where that adds least, so what is damaged is always covered. Not thread-safe.
/// </summary>
public sealed class DamageRegion
{
    private readonly Rect[] _rects;
    private readonly Rect[] _fragments;
    private int _count;

    /// <summary>Room for <paramref name="capacity"/> rectangles, at least 1.</summary>
    public DamageRegion(int capacity = 16)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _rects = new Rect[capacity];
        _fragments = new Rect[(capacity * 4) + 4];
    }

    public int Capacity => _rects.Length;

    public bool IsEmpty => _count == 0;

    /// <summary>What is damaged. Valid until the next call that changes this region.</summary>
    public ReadOnlySpan<Rect> Rects => _rects.AsSpan(0, _count);

    /// <summary>The smallest rectangle that holds all of it; empty where nothing is damaged.</summary>
    public Rect Bounds
    {
        get
        {
            Rect bounds = default;
            foreach (Rect rect in Rects)
            {
                bounds = bounds.Union(rect);
            }

            return bounds;
        }
    }

    public void Clear() => _count = 0;

    /// <summary>Adds damage. Allocates nothing.</summary>
    public void Add(Rect damage)
    {
        if (damage.IsEmpty)
        {
            return;
        }

        for (int i = _count - 1; i >= 0; i--)
        {
            if (_rects[i].Contains(damage))
            {
                return;
            }

            if (damage.Contains(_rects[i]))
            {
                RemoveAt(i);
            }
        }

        int fragments = Uncovered(damage);
        if (fragments < 0 || _count + fragments > Capacity)
        {
            Join(damage);
            return;
        }

        for (int i = 0; i < fragments; i++)
        {
            AddDisjoint(_fragments[i]);
        }
    }

    // Cuts away what is covered already; the number of fragments left, or -1 where there is no room for them.
    private int Uncovered(Rect damage)
    {
        _fragments[0] = damage;
        int count = 1;
        foreach (Rect rect in Rects)
        {
            for (int i = count - 1; i >= 0; i--)
            {
                Rect fragment = _fragments[i];
                Rect common = fragment.Intersect(rect);
                if (common.IsEmpty)
                {
                    continue;
                }

                if (count + 3 > _fragments.Length)
                {
                    return -1;
                }

                _fragments[i] = _fragments[--count];
                Push(Rect.Between(fragment.X, fragment.Y, fragment.Right, common.Y), ref count);
                Push(Rect.Between(fragment.X, common.Bottom, fragment.Right, fragment.Bottom), ref count);
                Push(Rect.Between(fragment.X, common.Y, common.X, common.Bottom), ref count);
                Push(Rect.Between(common.Right, common.Y, fragment.Right, common.Bottom), ref count);
            }
        }

        return count;
    }

    private void Push(Rect fragment, ref int count)
    {
        if (!fragment.IsEmpty)
        {
            _fragments[count++] = fragment;
        }
    }

    // Joins it along whole edges as long as that can be done, then keeps it.
    private void AddDisjoint(Rect rect)
    {
        for (int i = 0; i < _count;)
        {
            Rect union = rect.Union(_rects[i]);
            if (union.Area == rect.Area + _rects[i].Area)
            {
                rect = union;
                RemoveAt(i);
                i = 0;
            }
            else
            {
                i++;
            }
        }

        _rects[_count++] = rect;
    }

    // No room: grows by the neighbour that adds least, then swallows whatever that overlaps.
    private void Join(Rect damage)
    {
        int nearest = 0;
        long least = long.MaxValue;
        for (int i = 0; i < _count; i++)
        {
            long added = damage.Union(_rects[i]).Area - _rects[i].Area;
            if (added < least)
            {
                least = added;
                nearest = i;
            }
        }

        Rect joined = damage.Union(_rects[nearest]);
        RemoveAt(nearest);
        for (int i = 0; i < _count;)
        {
            if (joined.Intersect(_rects[i]).IsEmpty)
            {
                i++;
                continue;
            }

            joined = joined.Union(_rects[i]);
            RemoveAt(i);
            i = 0;
        }

        _rects[_count++] = joined;
    }

    private void RemoveAt(int index) => _rects[index] = _rects[--_count];
}
