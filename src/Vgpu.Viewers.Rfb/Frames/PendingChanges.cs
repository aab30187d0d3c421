using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// What one viewer has not been told of: parts of the screen's picture that changed or moved, its size, its cursor. Its
/// size is bounded, whatever happens while the viewer does not read. Any thread.
/// </summary>
internal sealed class PendingChanges
{
    private const int MaxMoves = 8;

    private readonly Lock _lock = new();
    private readonly DamageRegion _damage = new(64);
    private readonly Move[] _moves = new Move[MaxMoves];
    private readonly Rect[] _stale = new Rect[64];
    private int _moveCount;
    private Rect _held;
    private bool _isCursorChanged = true;

    /// <summary>Whether there is anything of it.</summary>
    internal bool IsAny
    {
        get
        {
            lock (_lock)
            {
                return _moveCount != 0 || _isCursorChanged || !_damage.IsEmpty;
            }
        }
    }

    /// <summary>These pixels are new.</summary>
    internal void Add(Rect rect)
    {
        lock (_lock)
        {
            _damage.Add(rect);
        }
    }

    /// <summary>All of this is new, and nothing of before is of use.</summary>
    internal void Reset(Rect bounds)
    {
        lock (_lock)
        {
            _moveCount = 0;
            _damage.Clear();
            _damage.Add(bounds);
        }
    }

    /// <summary>The screen's picture went from one state to the next: first the moves in order, then the new pixels.</summary>
    internal void Changed(ReadOnlySpan<Move> moves, ReadOnlySpan<Rect> rects)
    {
        lock (_lock)
        {
            foreach (Move move in moves)
            {
                Add(move);
            }

            foreach (Rect rect in rects)
            {
                _damage.Add(rect);
            }
        }
    }

    /// <summary>
    /// An update's pixels of these places are read from now on until <see cref="Release"/>, and may be newer than what it was
    /// planned by: what moves from there meanwhile is not a move for this viewer. With the frame's lock held.
    /// </summary>
    internal void Hold(List<Rect> rects)
    {
        lock (_lock)
        {
            _held = default;
            foreach (Rect rect in rects)
            {
                _held = _held.Union(rect);
            }
        }
    }

    /// <summary>All of them have been read.</summary>
    internal void Release()
    {
        lock (_lock)
        {
            _held = default;
        }
    }

    internal void CursorChanged()
    {
        lock (_lock)
        {
            _isCursorChanged = true;
        }
    }

    internal bool TakeCursorChange()
    {
        lock (_lock)
        {
            bool changed = _isCursorChanged;
            _isCursorChanged = false;
            return changed;
        }
    }

    /// <summary>
    /// Takes what lies within <paramref name="wanted"/>; the rest stays. Moves are taken only where <paramref name="withMoves"/>
    /// and they touch nothing of <paramref name="film"/>, and become new pixels otherwise.
    /// </summary>
    internal void Take(Rect wanted, bool withMoves, Rect film, List<Move> moves, List<Rect> rects)
    {
        lock (_lock)
        {
            for (int i = 0; i < _moveCount; i++)
            {
                // Once one is not taken, those after it may not find what they move.
                Move move = _moves[i];
                withMoves &= wanted.Contains(move.Target) && wanted.Contains(move.Source) && film.Intersect(move.Target).IsEmpty && film.Intersect(move.Source).IsEmpty;
                if (withMoves)
                {
                    moves.Add(move);
                }
                else
                {
                    _damage.Add(move.Target);
                }
            }

            _moveCount = 0;
            int stale = 0;
            foreach (Rect rect in _damage.Rects)
            {
                Rect part = rect.Intersect(wanted);
                if (!part.IsEmpty)
                {
                    rects.Add(part);
                }

                if (part != rect)
                {
                    _stale[stale++] = rect;
                }
            }

            _damage.Clear();
            for (int i = 0; i < stale; i++)
            {
                KeepOutside(_stale[i], wanted);
            }
        }
    }

    // What the viewer has not seen yet at the source is, after the move, not right at the target either.
    private void Add(Move move)
    {
        if (_moveCount == MaxMoves || !_held.Intersect(move.Source).IsEmpty)
        {
            _damage.Add(move.Target);
            return;
        }

        int stale = 0;
        long area = 0;
        foreach (Rect rect in _damage.Rects)
        {
            Rect part = rect.Intersect(move.Source);
            if (!part.IsEmpty)
            {
                area += part.Area;
                _stale[stale++] = part with { X = part.X - move.Across, Y = part.Y - move.Down };
            }
        }

        if (area > move.Target.Area / 2)
        {
            _damage.Add(move.Target);
            return;
        }

        _moves[_moveCount++] = move;
        for (int i = 0; i < stale; i++)
        {
            _damage.Add(_stale[i]);
        }
    }

    private void KeepOutside(Rect rect, Rect inside)
    {
        Rect common = rect.Intersect(inside);
        if (common.IsEmpty)
        {
            _damage.Add(rect);
            return;
        }

        _damage.Add(rect with { Height = common.Y - rect.Y });
        _damage.Add(new Rect(rect.X, common.Bottom, rect.Width, rect.Bottom - common.Bottom));
        _damage.Add(new Rect(rect.X, common.Y, common.X - rect.X, common.Height));
        _damage.Add(new Rect(common.Right, common.Y, rect.Right - common.Right, common.Height));
    }
}
