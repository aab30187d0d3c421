namespace Vgpu.Screens;

/// <summary>A mode: size in pixels and refresh rate in hertz.</summary>
public readonly record struct DisplayMode(int Width, int Height, int RefreshHertz = 60);

/// <summary>A cursor's picture: premultiplied B8G8R8A8, row after row without gaps.</summary>
public sealed record CursorImage(int Width, int Height, int HotX, int HotY, ReadOnlyMemory<byte> Pixels);

/// <summary>Hears what happens on a head. Called without the head's lock, on the thread that drew.</summary>
public interface IHeadObserver
{
    /// <summary>Another surface is shown, or none.</summary>
    void SurfaceChanged(Head head);

    /// <summary>This part of the surface has new pixels.</summary>
    void Damaged(Head head, Rect rect);

    /// <summary>The cursor's picture or place changed.</summary>
    void CursorChanged(Head head);
}

/// <summary>Pixels that nobody announces, such as a mapped framebuffer: asked for damage when somebody looks.</summary>
public interface IFrameSource
{
    /// <summary>Finds what changed since the last call, brings the surface up to date and reports the damage. Any thread.</summary>
    void Refresh();
}

/// <summary>One output of a screen. Thread-safe; its lock is third in the lock order.</summary>
public sealed class Head
{
    public int Index => throw new NotImplementedException();

    /// <summary>Whether a monitor is plugged in.</summary>
    public bool IsConnected => throw new NotImplementedException();

    /// <summary>The mode that the monitor asks for.</summary>
    public DisplayMode PreferredMode => throw new NotImplementedException();

    /// <summary>EDID of the monitor for its preferred mode: 128 bytes or a multiple.</summary>
    public ReadOnlyMemory<byte> Edid => throw new NotImplementedException();

    /// <summary>Grows by one with every surface, flush and cursor change.</summary>
    public ulong Generation => throw new NotImplementedException();

    /// <summary>Raised when a viewer or the operator changed PreferredMode or IsConnected. Without the lock, on the asker's thread.</summary>
    public event Action<Head>? PreferredModeChanged
    {
        add => throw new NotImplementedException();
        remove => throw new NotImplementedException();
    }

    public IFrameSource? FrameSource { get; set; }

    /// <summary>A viewer or the operator wants another size.</summary>
    public void RequestMode(DisplayMode mode) => throw new NotImplementedException();

    /// <summary>Shows this surface from now on (null: nothing). The device keeps owning it and clears it here before disposing.</summary>
    public void SetSurface(Surface? surface) => throw new NotImplementedException();

    /// <summary>The device has drawn: damage in surface coordinates, clipped here.</summary>
    public void Flush(Rect damage) => throw new NotImplementedException();

    public void SetCursor(CursorImage? image, int x, int y) => throw new NotImplementedException();

    public void MoveCursor(int x, int y) => throw new NotImplementedException();

    public IDisposable Observe(IHeadObserver observer) => throw new NotImplementedException();

    /// <summary>
    /// A whole picture as it is now, copied with the lock held, in B8G8R8X8 with <paramref name="withCursor"/> drawn in
    /// where asked; null where nothing is shown.
    /// </summary>
    public Picture? Capture(bool withCursor) => throw new NotImplementedException();
}

/// <summary>A copy of what a head showed: B8G8R8X8, row after row without gaps.</summary>
public sealed record Picture(int Width, int Height, ReadOnlyMemory<byte> Pixels);
