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
        _next = 0;
        bool drawsCursor = _turn.Encodings.DrawsCursor;
        PlanCursor(drawsCursor);

        bool mayMove = _turn.Encodings.CopyRect && drawsCursor && _frame.Bounds == _bounds && _video is not { Area.IsEmpty: false };
        _changes.Take(_turn.Wanted.Intersect(_bounds), mayMove, _moves, _damage);
        long now = Environment.TickCount64;
        foreach (Move move in _moves)
        {
            if (_lossy.Touches(move.Source))
            {
                _lossy.AddAll(move.Target, now);
            }
        }

        PlanFilm(now);
        (int, int) grid = _encoders.For(_turn.Encodings).Grid;
        foreach (Rect rect in _damage)
        {
            RectCutting.Cut(rect, _frame.Bounds, grid, _rects);
        }

        _exactFrom = _rects.Count;
        return _lossy.TakeQuiet(_turn.Wanted.Intersect(_bounds), now, _rects);
    }

    // What moves goes out as one picture of the film, and the rest as always.
    private void PlanFilm(long now)
    {
        _film.Clear();
        if (_video is null || _turn.Encodings is not { H264: true, DrawsCursor: true } || !_turn.Wanted.Contains(_bounds) || _frame.Bounds != _bounds)
        {
            return;
        }

        _video.Observe(_damage, _bounds, now);
        Rect area = _video.Area;
        if (area.IsEmpty || !_damage.Exists(rect => !rect.Intersect(area).IsEmpty) || !_video.TryEncode(_frame.Block(area), _film))
        {
            return;
        }

        _lossy.AddAll(area, now);
        _outside.Clear();
        foreach (Rect rect in _damage)
        {
            RectCutting.CutOut(rect, area, _outside);
        }

        _damage.Clear();
        _damage.AddRange(_outside);
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
