namespace Vgpu.Screens;

/// <summary>
/// One output of a screen: the surface and cursor that a device shows there, and the monitor that viewers and the
/// operator play. Thread-safe; its lock is the fourth in the lock order, and is held for no call out of here.
/// </summary>
public sealed partial class Head
{
    private readonly Lock _lock = new();
    private IHeadObserver[] _observers = [];
    private IFrameSource? _frameSource;
    private Surface? _surface;
    private CursorImage? _cursor;
    private int _cursorX;
    private int _cursorY;
    private bool _isConnected;
    private DisplayMode _preferredMode;
    private byte[] _edid;
    private ulong _generation;

    internal Head(int index, bool isConnected, DisplayMode preferred, DisplayMode max)
    {
        Index = index;
        _isConnected = isConnected;
        MaxMode = max;
        _preferredMode = Limit(preferred);
        _edid = Screens.Edid.Create(_preferredMode, index, max);
    }

    /// <summary>
    /// Raised when a viewer or the operator changed <see cref="PreferredMode"/> or <see cref="IsConnected"/>. Without
    /// the lock, on the asker's thread.
    /// </summary>
    public event Action<Head>? PreferredModeChanged;

    /// <summary>Raised when the first observer has come or the last has gone (<see cref="IsObserved"/>). Without the lock, on their thread.</summary>
    public event Action<Head>? ObservationChanged;

    /// <summary>Raised when the size of what is shown has changed, or something or nothing is shown. Without the lock, on the device's thread.</summary>
    public event Action<Head>? ModeSet;

    public int Index { get; }

    /// <summary>The longest sides that the head may have.</summary>
    public DisplayMode MaxMode { get; }

    /// <summary>Whether a monitor is plugged in.</summary>
    public bool IsConnected
    {
        get
        {
            lock (_lock)
            {
                return _isConnected;
            }
        }
    }

    /// <summary>The mode that the monitor asks for.</summary>
    public DisplayMode PreferredMode
    {
        get
        {
            lock (_lock)
            {
                return _preferredMode;
            }
        }
    }

    /// <summary>EDID of the monitor for its preferred mode: 128 bytes or a multiple.</summary>
    public ReadOnlyMemory<byte> Edid
    {
        get
        {
            lock (_lock)
            {
                return _edid;
            }
        }
    }

    /// <summary>Grows by one with every surface, flush and cursor change.</summary>
    public ulong Generation => Volatile.Read(ref _generation);

    /// <summary>Whether anybody observes: a device that has to look for changes does so only then.</summary>
    public bool IsObserved => Volatile.Read(ref _observers).Length != 0;

    /// <summary>Where pixels come from that nobody announces; null for a device that flushes.</summary>
    public IFrameSource? FrameSource
    {
        get => Volatile.Read(ref _frameSource);
        set => Volatile.Write(ref _frameSource, value);
    }

    /// <summary>
    /// A viewer or the operator wants another size, of which sides beyond <see cref="MaxMode"/> are cut. Throws <see cref="ArgumentOutOfRangeException"/> for a mode that is
    /// not valid; does nothing where it is the preferred one already.
    /// </summary>
    public void RequestMode(DisplayMode mode)
    {
        mode.Validate(nameof(mode));
        mode = Limit(mode);
        lock (_lock)
        {
            if (_preferredMode == mode)
            {
                return;
            }

            _preferredMode = mode;
            _edid = Screens.Edid.Create(mode, Index, MaxMode);
        }

        PreferredModeChanged?.Invoke(this);
    }

    /// <summary>The operator plugs the monitor in or out; does nothing where it is so already.</summary>
    public void SetConnected(bool isConnected)
    {
        lock (_lock)
        {
            if (_isConnected == isConnected)
            {
                return;
            }

            _isConnected = isConnected;
        }

        PreferredModeChanged?.Invoke(this);
    }

    /// <summary>
    /// Shows this surface from now on (null: nothing). The device keeps owning it and clears it here before disposing;
    /// once this returns the head holds no reference to the one before. Throws <see cref="ObjectDisposedException"/>.
    /// </summary>
    public void SetSurface(Surface? surface)
    {
        Surface? shown = surface?.Share();
        Surface? before;
        lock (_lock)
        {
            before = _surface;
            _surface = shown;
            _generation++;
        }

        bool isModeSet = (before?.Width, before?.Height) != (surface?.Width, surface?.Height);
        before?.Dispose();
        foreach (IHeadObserver observer in Volatile.Read(ref _observers))
        {
            observer.SurfaceChanged(this);
        }

        if (isModeSet)
        {
            ModeSet?.Invoke(this);
        }
    }

    /// <summary>
    /// The surface that is shown, as a reference of the caller's own, which keeps its memory while the device moves on;
    /// null where nothing is shown.
    /// </summary>
    public Surface? AcquireSurface()
    {
        lock (_lock)
        {
            return _surface?.Share();
        }
    }

    /// <summary>
    /// Shows this cursor (null: none) with its hot spot at a place of the surface, which may lie outside. Throws
    /// <see cref="ArgumentException"/> for an image of another size than it says.
    /// </summary>
    public void SetCursor(CursorImage? image, int x, int y)
    {
        image?.Validate(nameof(image));
        lock (_lock)
        {
            _cursor = image;
            _cursorX = x;
            _cursorY = y;
            _generation++;
        }

        ReportCursor();
    }

    /// <summary>Moves the cursor's hot spot. Allocates nothing.</summary>
    public void MoveCursor(int x, int y)
    {
        lock (_lock)
        {
            if (_cursorX == x && _cursorY == y)
            {
                return;
            }

            _cursorX = x;
            _cursorY = y;
            _generation++;
        }

        ReportCursor();
    }

    /// <summary>The cursor's picture (null: none) and where its hot spot is.</summary>
    public (CursorImage? Image, int X, int Y) Cursor
    {
        get
        {
            lock (_lock)
            {
                return (_cursor, _cursorX, _cursorY);
            }
        }
    }

    /// <summary>What a viewer's list needs, all of one moment.</summary>
    public HeadState State
    {
        get
        {
            lock (_lock)
            {
                return new HeadState(_isConnected, _preferredMode, _surface?.Width ?? 0, _surface?.Height ?? 0, _cursor is not null, _generation);
            }
        }
    }

    /// <summary>Tells <paramref name="observer"/> of everything from now on, until the result is disposed; a call may still be under way then.</summary>
    public IDisposable Observe(IHeadObserver observer)
    {
        ArgumentNullException.ThrowIfNull(observer);
        bool first;
        lock (_lock)
        {
            first = _observers.Length == 0;
            Volatile.Write(ref _observers, [.. _observers, observer]);
        }

        if (first)
        {
            ObservationChanged?.Invoke(this);
        }

        return new Observation(this, observer);
    }

    /// <summary>
    /// A whole picture as it is now, copied with the lock held, in B8G8R8X8 with <paramref name="withCursor"/> drawn in
    /// where asked; null where nothing is shown. Asks <see cref="FrameSource"/> first.
    /// </summary>
    public Picture? Capture(bool withCursor)
    {
        byte[] pixels = [];
        int width;
        int height;
        FrameSource?.Refresh();
        while (!TryCopy(withCursor, pixels, out width, out height))
        {
            if (width == 0)
            {
                return null;
            }

            pixels = GC.AllocateUninitializedArray<byte>(width * height * Surface.BytesPerPixel);
        }

        int length = width * height * Surface.BytesPerPixel;
        return new Picture(width, height, pixels.AsMemory(0, length));
    }

    /// <summary>
    /// As <see cref="Capture"/>, into the caller's buffer: false where it is too short for
    /// <paramref name="width"/> × <paramref name="height"/> × 4 bytes, or, with both 0, where nothing is shown.
    /// Allocates nothing.
    /// </summary>
    public bool TryCapture(bool withCursor, Span<byte> target, out int width, out int height)
    {
        FrameSource?.Refresh();
        return TryCopy(withCursor, target, out width, out height);
    }

    private bool TryCopy(bool withCursor, Span<byte> target, out int width, out int height)
    {
        lock (_lock)
        {
            width = _surface?.Width ?? 0;
            height = _surface?.Height ?? 0;
            if (_surface is null || (long)width * height * Surface.BytesPerPixel > target.Length)
            {
                return false;
            }

            int rowLength = width * Surface.BytesPerPixel;
            for (int y = 0; y < height; y++)
            {
                PixelConversion.ToB8G8R8X8(_surface.Row(y), _surface.Format, target.Slice(y * rowLength, rowLength));
            }

            if (withCursor && _cursor is not null)
            {
                CursorComposition.Draw(_cursor, _cursorX, _cursorY, target[..(rowLength * height)], width, height);
            }

            return true;
        }
    }

    private DisplayMode Limit(DisplayMode mode) =>
        mode with { Width = Math.Min(mode.Width, MaxMode.Width), Height = Math.Min(mode.Height, MaxMode.Height) };

    private void ReportCursor()
    {
        foreach (IHeadObserver observer in Volatile.Read(ref _observers))
        {
            observer.CursorChanged(this);
        }
    }

    private void Forget(IHeadObserver observer)
    {
        lock (_lock)
        {
            int index = Array.IndexOf(_observers, observer);
            if (index < 0)
            {
                return;
            }

            Volatile.Write(ref _observers, [.. _observers[..index], .. _observers[(index + 1)..]]);
            if (_observers.Length != 0)
            {
                return;
            }
        }

        ObservationChanged?.Invoke(this);
    }

    private sealed class Observation(Head head, IHeadObserver observer) : IDisposable
    {
        private int _disposed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 0)
            {
                head.Forget(observer);
            }
        }
    }
}
