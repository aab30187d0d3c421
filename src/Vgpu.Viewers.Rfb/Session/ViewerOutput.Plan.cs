using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

// What goes into an update: moves, changes in pieces that the encoding takes, film, cursor, and exact pixels for what is still.
internal sealed partial class ViewerOutput
{
    // What goes out with this update, in pieces that the encoding takes; how long until more of it could be sent exactly.
    private long Plan()
    {
        _moves.Clear();
        _damage.Clear();
        _rects.Clear();
        _film.Clear();
        _filmCount = 0;
        _next = 0;
        bool drawsCursor = _turn.Encodings.DrawsCursor;
        PlanCursor(drawsCursor);

        Rect moving = _frame.Moving.Intersect(_bounds);
        bool takesFilm = TakesFilm();
        bool mayMove = _turn.Encodings.CopyRect && drawsCursor && _frame.Bounds == _bounds;
        _changes.Take(_turn.Wanted.Intersect(_bounds), mayMove, takesFilm ? moving : default, _moves, _damage);
        long now = _clock();
        foreach (Move move in _moves)
        {
            if (_lossy.Touches(move.Source))
            {
                _lossy.AddAll(move.Target, now);
            }
        }

        if (takesFilm && PlanFilm(moving, now))
        {
            moving = default;
        }

        IRectEncoder encoder = _encoders.For(_turn.Encodings);
        bool isCoarse = encoder.Number == RfbProtocol.EncodingTight && _turn.Encodings.JpegQuality >= 0 && !moving.IsEmpty;
        PlanRects(isCoarse ? moving : default, encoder.Grid);
        _exactFrom = _rects.Count;
        long next = _lossy.TakeQuiet(_turn.Wanted.Intersect(_bounds), now, _rects);
        _changes.Hold(_rects);
        return next;
    }

    // What moves like a film comes last, in pieces as large as they may be: each has a header, and it is coarse anyway.
    private void PlanRects(Rect moving, (int, int) grid)
    {
        long area = 0;
        Rect around = default;
        _outside.Clear();
        foreach (Rect rect in _damage)
        {
            RectCutting.CutOut(rect, moving, _outside);
            Rect inside = rect.Intersect(moving);
            area += inside.Area;
            around = around.Union(inside);
        }

        // Small ones first: what was typed is small.
        _outside.Sort(static (a, b) => a.Area.CompareTo(b.Area));
        foreach (Rect rect in _outside)
        {
            RectCutting.Cut(rect, _frame.Bounds, grid, _rects);
        }

        _movingFrom = _rects.Count;
        if (area >= around.Area * 3 / 4)
        {
            RectCutting.Cut(around, _frame.Bounds, s_strips, _rects);
            return;
        }

        foreach (Rect rect in _damage)
        {
            RectCutting.Cut(rect.Intersect(moving), _frame.Bounds, s_strips, _rects);
        }
    }

    private bool TakesFilm() =>
        _frame.Film is not null && _turn.Encodings is { H264: true, DrawsCursor: true } && _turn.Wanted.Contains(_bounds) && _frame.Bounds == _bounds;

    // What moves goes out as pictures of the film, and the rest as always.
    private bool PlanFilm(Rect area, long now)
    {
        if (!_damage.Exists(rect => !rect.Intersect(area).IsEmpty))
        {
            return true;
        }

        _filmCount = _frame.Film!.Append(ref _seat, _frame.Block(area), now, _film);
        if (_filmCount == 0)
        {
            return false;
        }

        _lossy.AddAll(area, now);
        _outside.Clear();
        foreach (Rect rect in _damage)
        {
            RectCutting.CutOut(rect, area, _outside);
        }

        _damage.Clear();
        _damage.AddRange(_outside);
        return true;
    }

    // A viewer that draws none has the cursor in its picture, where it was and where it is.
    private void PlanCursor(bool drawsCursor)
    {
        if (drawsCursor)
        {
            _changes.Add(_drawnCursor);
            _drawnCursor = default;
        }
        else if (_changes.TakeCursorChange())
        {
            _changes.Add(_drawnCursor);
            _cursor = _frame.Head.Cursor;
            _drawnCursor = PlaceOf(_cursor.Image, _cursor.X, _cursor.Y).Intersect(_frame.Bounds);
            _changes.Add(_drawnCursor);
        }
    }

    private static Rect PlaceOf(CursorImage? image, int x, int y) => image is null
        ? default
        : new Rect((int)Math.Max((long)x - image.HotX, int.MinValue), (int)Math.Max((long)y - image.HotY, int.MinValue), image.Width, image.Height);
}
