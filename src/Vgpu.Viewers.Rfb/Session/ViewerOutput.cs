using System.Runtime.InteropServices;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// Makes the bytes for one viewer, a bounded piece at a time: answers, and an update once one is asked for, its pace allows
/// it and there is something new. Pixels are read as late as they can be; what changes meanwhile comes with the next update.
/// One thread at a time.
/// </summary>
internal sealed class ViewerOutput : IDisposable
{
    private const int PieceSize = 256 << 10;

    private readonly ScreenFrame _frame;
    private readonly ViewerState _state;
    private readonly PendingChanges _changes;
    private readonly Pacing _pacing;
    private readonly RectEncoders _encoders;
    private readonly Timer _timer;
    private readonly long _frameMilliseconds;
    private readonly List<Move> _moves = [];
    private readonly List<Rect> _damage = [];
    private readonly List<Rect> _rects = [];
    private readonly LossyFields _lossy = new();
    private readonly OutputBuffer _buffer = new();
    private readonly uint[] _staged = new uint[RectCutting.MaxArea];
    private ViewerTurn _turn;
    private Rect _bounds;
    private Rect _seenFrame;
    private (CursorImage? Image, int X, int Y) _cursor;
    private Rect _drawnCursor;
    private long _lastBegin = long.MinValue / 2;
    private long _size;
    private int _next;
    private int _exactFrom;

    internal ViewerOutput(ScreenFrame frame, ViewerState state, PendingChanges changes, Pacing pacing, RfbServerOptions options, Action wake)
    {
        _frame = frame;
        _state = state;
        _changes = changes;
        _pacing = pacing;
        _encoders = new RectEncoders(options.Codecs);
        _frameMilliseconds = 1000 / options.MaxFramesPerSecond;
        _timer = new Timer(_ => wake());
    }

    /// <summary>What <see cref="Next"/> made. Valid until the next call.</summary>
    internal ReadOnlyMemory<byte> Bytes => _buffer.Written;

    /// <summary>The size that the viewer knows, as a rectangle. Any thread.</summary>
    internal Rect Bounds
    {
        get
        {
            long size = Volatile.Read(ref _size);
            return new Rect(0, 0, (int)(size >> 32), (int)size);
        }
    }

    /// <summary>Takes the screen's size as the one that the viewer is told now.</summary>
    internal (int Width, int Height) Begin()
    {
        _frame.Refresh();
        _frame.EnterRead();
        TakeBounds();
        _seenFrame = _bounds;
        _frame.ExitRead();
        return (_bounds.Width, _bounds.Height);
    }

    /// <summary>Makes the next piece; false where there is nothing to write now.</summary>
    internal bool Next()
    {
        _buffer.Clear();
        if (_next < _rects.Count)
        {
            WriteRects();
            return true;
        }

        _turn = _state.Take(_buffer);
        if (MayBegin())
        {
            _frame.Refresh();
            BeginUpdate();
        }

        return _buffer.Length != 0;
    }

    public void Dispose()
    {
        _timer.Dispose();
        _encoders.Dispose();
        _buffer.Dispose();
    }

    private void TakeBounds()
    {
        _bounds = _frame.Bounds;
        Volatile.Write(ref _size, ((long)_bounds.Width << 32) | (uint)_bounds.Height);
    }

    private bool MayBegin()
    {
        if (_turn.Wanted.IsEmpty || (_turn.IsContinuous && _turn.Encodings.Fence && !_pacing.IsOpen))
        {
            return false;
        }

        long wait = _lastBegin + _frameMilliseconds - Environment.TickCount64;
        if (wait > 0)
        {
            _timer.Change(wait, Timeout.Infinite);
            return false;
        }

        return true;
    }

    private void BeginUpdate()
    {
        _frame.EnterRead();
        try
        {
            if (WriteSize())
            {
                return;
            }

            long quiet = Plan();
            bool hasCursor = _turn.Encodings.DrawsCursor && _changes.TakeCursorChange();
            bool hasKeys = _state.TakeExtendedKeys();
            int count = _moves.Count + _rects.Count + (hasCursor ? 1 : 0) + (hasKeys ? 1 : 0);
            if (count == 0)
            {
                if (quiet > 0)
                {
                    _timer.Change(quiet, Timeout.Infinite);
                }

                return;
            }

            _state.Answered();
            _lastBegin = Environment.TickCount64;
            WriteHeader(count);
            WriteExtras(hasCursor, hasKeys);
        }
        finally
        {
            _frame.ExitRead();
        }

        WriteRects();
    }

    // Alone in its update, as rfbproto wants it; what was asked for is still to come, and is of the new size then.
    private bool WriteSize()
    {
        bool isNew = _frame.Bounds != _seenFrame;
        _seenFrame = _frame.Bounds;
        ViewerEncodings encodings = _turn.Encodings;
        bool isReport = _state.TryTakeSizeReport(out (ushort Reason, ushort Status) report);
        // An answer that is not "done" does not change the viewer's size: a new one follows by itself.
        bool isResized = _frame.Bounds != _bounds && encodings.Resizes && report.Status == RfbProtocol.ResizeDone;
        if (isNew && !encodings.Resizes)
        {
            _changes.Add(_bounds);
        }

        if (!isReport && !isResized)
        {
            return false;
        }

        if (isResized)
        {
            TakeBounds();
            _changes.Reset(_bounds);
            _lossy.Clear();
            _state.Widen(_bounds);
        }

        WriteHeader(1);
        if (!encodings.ExtendedDesktopSize)
        {
            WriteRectHeader(_bounds, RfbProtocol.EncodingDesktopSize);
            return true;
        }

        WriteRectHeader(new Rect(report.Reason, report.Status, _bounds.Width, _bounds.Height), RfbProtocol.EncodingExtendedDesktopSize);
        _buffer.U8(1);
        _buffer.Padding(3);
        _buffer.U32(0);
        _buffer.U16(0);
        _buffer.U16(0);
        _buffer.U16(_bounds.Width);
        _buffer.U16(_bounds.Height);
        _buffer.U32(0);
        return true;
    }

    // What goes out with this update, in pieces that the encoding takes; how long until more of it could be sent exactly.
    private long Plan()
    {
        _moves.Clear();
        _damage.Clear();
        _rects.Clear();
        _next = 0;
        bool drawsCursor = _turn.Encodings.DrawsCursor;
        PlanCursor(drawsCursor);

        _changes.Take(_turn.Wanted.Intersect(_bounds), _turn.Encodings.CopyRect && drawsCursor && _frame.Bounds == _bounds, _moves, _damage);
        (int, int) grid = _encoders.For(_turn.Encodings).Grid;
        foreach (Rect rect in _damage)
        {
            RectCutting.Cut(rect, _frame.Bounds, grid, _rects);
        }

        _exactFrom = _rects.Count;
        return _lossy.TakeQuiet(_turn.Wanted.Intersect(_bounds), Environment.TickCount64, _rects);
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

    private void WriteExtras(bool hasCursor, bool hasKeys)
    {
        foreach (Move move in _moves)
        {
            WriteRectHeader(move.Target, RfbProtocol.EncodingCopyRect);
            _buffer.U16(move.Source.X);
            _buffer.U16(move.Source.Y);
        }

        if (hasCursor)
        {
            CursorEncoder.Encode(_frame.Head.Cursor.Image, _turn.Encodings.CursorWithAlpha, _turn.Format, _buffer);
        }

        if (hasKeys)
        {
            WriteRectHeader(default, RfbProtocol.EncodingQemuExtendedKeyEvent);
        }
    }

    private void WriteRects()
    {
        IRectEncoder encoder = _encoders.For(_turn.Encodings);
        _frame.EnterRead();
        try
        {
            while (_next < _rects.Count && _buffer.Length < PieceSize)
            {
                Rect rect = _rects[_next];
                WriteRectHeader(rect, encoder.Number);
                int quality = _next++ < _exactFrom ? _turn.Encodings.JpegQuality : -1;
                if (!encoder.Encode(Block(rect), rect, _turn.Format, quality, _buffer))
                {
                    _lossy.Add(rect, Environment.TickCount64);
                }
                else if (!_lossy.IsEmpty)
                {
                    _lossy.Remove(rect);
                }
            }
        }
        finally
        {
            _frame.ExitRead();
        }

        if (_next == _rects.Count && _turn is { IsContinuous: true, Encodings.Fence: true })
        {
            WritePaceFence();
        }
    }

    private PixelBlock Block(Rect rect)
    {
        PixelBlock block = _frame.Block(rect);
        if (_turn.Encodings.DrawsCursor || _cursor.Image is null || _drawnCursor.Intersect(rect).IsEmpty)
        {
            return block;
        }

        Span<uint> staged = _staged.AsSpan(0, rect.Width * rect.Height);
        block.CopyTo(staged);
        CursorComposition.Draw(_cursor.Image, _cursor.X - rect.X, _cursor.Y - rect.Y, MemoryMarshal.AsBytes(staged), rect.Width, rect.Height);
        return new PixelBlock(staged, rect.Width, rect.Width, rect.Height);
    }

    private void WritePaceFence()
    {
        _buffer.U8(RfbProtocol.ServerFence);
        _buffer.Padding(3);
        _buffer.U32(RfbProtocol.FenceRequest | RfbProtocol.FenceBlockBefore);
        _buffer.U8(sizeof(uint));
        _buffer.U32(_pacing.Sent(Environment.TickCount64));
    }

    private void WriteHeader(int count)
    {
        _buffer.U8(RfbProtocol.FramebufferUpdate);
        _buffer.U8(0);
        _buffer.U16(count);
    }

    private void WriteRectHeader(Rect rect, int encoding)
    {
        _buffer.U16(rect.X);
        _buffer.U16(rect.Y);
        _buffer.U16(rect.Width);
        _buffer.U16(rect.Height);
        _buffer.U32(unchecked((uint)encoding));
    }
}
