using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Viewers.Spice.Interop;

namespace Vgpu.Viewers.Spice;

// A head as the library's QXL device (spice-qxl.h): one memory slot over all memory, a primary surface of the head's size,
// and commands. Update and the observation are the loop's; the library's worker asks for commands on its own thread.
internal sealed unsafe partial class QxlDisplay : IHeadObserver, IDisposable
{
    // How soon to ask again for room that the library could not make.
    private const int StarvedMilliseconds = 50;

    private readonly Head _head;
    private readonly SpiceLoop _loop;
    private readonly bool _takesModes;
    private readonly QxlDrawables _drawables = new();
    private readonly QxlCursors _cursors;
    private readonly QXLInstance* _instance;
    private readonly GCHandle _self;
    private IDisposable? _observation;
    private MemoryMapping? _primary;
    private int _width;
    private int _height;
    private int _isSurfaceNew = 1;

    internal QxlDisplay(Head head, SpiceLoop loop, bool takesModes)
    {
        _head = head;
        _loop = loop;
        _takesModes = takesModes;
        _cursors = new QxlCursors(head);
        _self = GCHandle.Alloc(this);
        _instance = (QXLInstance*)NativeMemory.AllocZeroed((nuint)sizeof(QXLInstance));
        _instance->Interface = CreateInterface();
        _instance->Owner = GCHandle.ToIntPtr(_self);
    }

    /// <summary>Adds it to the server, before any client can come.</summary>
    internal void Attach(nint server)
    {
        if (LibSpice.AddInterface(server, _instance) != 0)
        {
            throw new SpiceException("libspice-server takes no display; is it older than 0.14?");
        }

        var slot = new QXLDevMemSlot { VirtEnd = nuint.MaxValue };
        LibSpice.AddMemSlot(_instance, &slot);
        LibSpice.SetDeviceInfo(_instance, "pci/0000/01.0", 0, 1);
    }

    /// <summary>Follows the head while somebody looks, and only then.</summary>
    internal void SetWatched(bool isWatched)
    {
        if (isWatched == _observation is not null)
        {
            return;
        }

        _observation?.Dispose();
        _observation = null;
        if (isWatched)
        {
            _observation = _head.Observe(this);
            Volatile.Write(ref _isSurfaceNew, 1);
            _cursors.Change();
        }
    }

    /// <summary>Hands the library what is new; returns how long to wait at most before the next call (-1: for ever).</summary>
    internal int Update()
    {
        if (Interlocked.Exchange(ref _isSurfaceNew, 0) != 0)
        {
            FitPrimary();
        }

        using Surface? surface = _head.AcquireSurface();
        bool isStarved = false;
        bool isAny = surface is not null && surface.Width == _width && surface.Height == _height && _drawables.Make(surface, out isStarved);
        if (isStarved)
        {
            LibSpice.OutOfMemory(_instance);
        }

        if (isAny || (_cursors.IsChanged && _primary is not null))
        {
            LibSpice.Wakeup(_instance);
        }

        return isStarved ? StarvedMilliseconds : -1;
    }

    public void SurfaceChanged(Head head)
    {
        Volatile.Write(ref _isSurfaceNew, 1);
        _loop.Wake();
    }

    public void Damaged(Head head, Rect rect)
    {
        if (_drawables.Add(rect))
        {
            _loop.Wake();
        }
    }

    public void CursorChanged(Head head)
    {
        _cursors.Change();
        _loop.Wake();
    }

    /// <summary>The library is gone: nothing of it is used any more.</summary>
    public void Dispose()
    {
        _observation?.Dispose();
        _drawables.Dispose();
        _cursors.Dispose();
        _primary?.Dispose();
        NativeMemory.Free(_instance->Interface);
        NativeMemory.Free(_instance);
        _self.Free();
    }

    private void FitPrimary()
    {
        using Surface? surface = _head.AcquireSurface();
        (int width, int height) = surface is null ? (0, 0) : (surface.Width, surface.Height);
        if (width != _width || height != _height)
        {
            _drawables.Forget();
            DestroyPrimary();
            if (surface is not null)
            {
                CreatePrimary(width, height);
            }

            (_width, _height) = (width, height);
        }

        _drawables.Add(new Rect(0, 0, width, height));
    }

    private void DestroyPrimary()
    {
        if (_primary is null)
        {
            return;
        }

        LibSpice.DestroyPrimarySurface(_instance, 0);
        _primary.Dispose();
        _primary = null;
    }

    private void CreatePrimary(int width, int height)
    {
        int stride = width * Surface.BytesPerPixel;
        _primary = MemoryMapping.Anonymous((ulong)stride * (ulong)height);
        var surface = new QXLDevSurfaceCreate
        {
            Width = (uint)width,
            Height = (uint)height,
            Stride = -stride,
            Format = QXLDevSurfaceCreate.SPICE_SURFACE_FMT_32_xRGB,
            MouseMode = 1,
            Mem = (ulong)_primary.Pointer,
        };

        // Sound: the mapping holds the whole surface and stays until the library has destroyed it.
        LibSpice.CreatePrimarySurface(_instance, 0, &surface);
        _cursors.Restart();
    }
}
