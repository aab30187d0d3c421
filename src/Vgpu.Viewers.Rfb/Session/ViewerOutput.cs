using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// Makes the bytes for one viewer, a bounded piece at a time: answers, and an update once one is asked for, its pace allows
/// it and there is something new. Pixels are read as late as they can be; what changes meanwhile comes with the next update.
/// One thread at a time.
/// </summary>
internal sealed partial class ViewerOutput : IDisposable
{
    private const int PieceSize = 256 << 10;

    // An update of fewer rectangles is soon out, and is not cut short.
    private const int ManyRects = 16;
    private const int EndsWithLastRect = 0xffff;

    // What is soon there need not be acknowledged each time: that wakes both sides once more.
    private const int SmallBytes = 1024;
    private const int SmallUpdates = 4;

    // For so long after somebody pressed or let go of something pictures may come so much faster.
    private const long EchoMilliseconds = 100;
    private const int EchoHaste = 4;

    private static readonly (int, int) s_strips = (2048, 512);

    private readonly ScreenFrame _frame;
    private readonly ViewerState _state;
    private readonly PendingChanges _changes;
    private readonly Pacing _pacing;
    private readonly RectEncoders _encoders;
    private readonly Timer _timer;
    private readonly long _frameMilliseconds;
    private readonly Func<long> _clock;
    private readonly List<Move> _moves = [];
    private readonly List<Rect> _damage = [];
    private readonly List<Rect> _rects = [];
    private readonly List<Rect> _outside = [];
    private readonly LossyFields _lossy = new();
    private readonly OutputBuffer _film = new(256);
    private readonly OutputBuffer _buffer = new();
    private uint[] _staged = [];
    private FilmSeat _seat;
    private int _filmCount;
    private ViewerTurn _turn;
    private Rect _bounds;
    private Rect _seenFrame;
    private (CursorImage? Image, int X, int Y) _cursor;
    private Rect _drawnCursor;
    private long _lastBegin = long.MinValue / 2;
    private long _inputAt = long.MinValue / 2;
    private volatile bool _isHurried;
    private bool _endsWithLastRect;
    private long _size;
    private long _sinceFence;
    private int _smallUpdates;
    private int _next;
    private int _movingFrom;
    private int _exactFrom;

    internal ViewerOutput(ScreenFrame frame, ViewerState state, PendingChanges changes, Pacing pacing, RfbServerOptions options, Action wake)
    {
        _frame = frame;
        _state = state;
        _changes = changes;
        _pacing = pacing;
        _encoders = new RectEncoders(options.Codecs);
        _clock = options.Clock;
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
        _sinceFence += _buffer.Length;
        _buffer.Clear();
        if (_next < _rects.Count)
        {
            if (_endsWithLastRect && _isHurried)
            {
                CutShort();
            }
            else
            {
                WriteRects();
            }

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

    /// <summary>Somebody pressed or let go of something: what that shows is not to wait. Any thread.</summary>
    internal void Hurry()
    {
        Volatile.Write(ref _inputAt, _clock());
        _isHurried = true;
    }

    public void Dispose()
    {
        _timer.Dispose();
        _encoders.Dispose();
        _film.Dispose();
        _buffer.Dispose();
    }

    // Where there is none now, what brings some wakes who writes; but for what was sent with loss, which only time makes quiet.
    private bool HasNews => _frame.HasNews || _changes.IsAny || _state.OwesExtras || !_lossy.IsEmpty || HasNewSize;

    private bool HasNewSize => _frame.Bounds is var bounds && (bounds != _seenFrame || (bounds != _bounds && _turn.Encodings.Resizes));

    private void TakeBounds()
    {
        _bounds = _frame.Bounds;
        Volatile.Write(ref _size, ((long)_bounds.Width << 32) | (uint)_bounds.Height);
    }

    private bool MayBegin()
    {
        if (_turn.Wanted.IsEmpty || !HasNews || (_turn.IsContinuous && _turn.Encodings.Fence && !_pacing.IsOpen))
        {
            return false;
        }

        long now = _clock();
        long pace = now - Volatile.Read(ref _inputAt) < EchoMilliseconds ? _frameMilliseconds / EchoHaste : _frameMilliseconds;
        long wait = _lastBegin + pace - now;
        if (wait > 0)
        {
            _timer.Change(wait, Timeout.Infinite);
            return false;
        }

        return true;
    }

    private void BeginUpdate()
    {
        _isHurried = false;
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
            int count = _moves.Count + _rects.Count + (hasCursor ? 1 : 0) + (hasKeys ? 1 : 0) + _filmCount;
            if (count == 0)
            {
                if (quiet > 0)
                {
                    _timer.Change(quiet, Timeout.Infinite);
                }

                return;
            }

            _state.Answered();
            _lastBegin = _clock();
            _endsWithLastRect = _turn.Encodings.LastRect && _rects.Count >= ManyRects;
            WriteHeader(_endsWithLastRect ? EndsWithLastRect : count);
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
            _seat = default;
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
}
