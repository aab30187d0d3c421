using System.Buffers;
using Microsoft.Extensions.Logging;
using Vgpu.Linux;
using Vgpu.Screens;

namespace Vgpu.Vendors.Bochs;

// Shows the selected part of the video memory on the head. SetMode and Clear come from the transport's thread; Refresh
// from any. Its lock guards memory and shadow: the third in the lock order.
internal sealed class BochsScanout : IFrameSource, IDisposable
{
    private readonly Lock _lock = new();
    private readonly Framebuffer _framebuffer;
    private readonly Head _head;
    private readonly string _name;
    private readonly ILogger _log;
    private Shadow? _shadow;
    private DispiMode _mode;
    private bool _disposed;
    private bool _warned;

    internal BochsScanout(string name, Framebuffer framebuffer, Head head, ILogger log)
    {
        _log = log;
        _name = name;
        _framebuffer = framebuffer;
        _head = head;
        head.FrameSource = this;
    }

    /// <summary>Shows this mode from now on; null: nothing. Keeps the surface where only the place in memory changes.</summary>
    internal void SetMode(DispiMode? mode)
    {
        Shadow? before;
        Shadow? after;
        lock (_lock)
        {
            before = _shadow;
            if (mode is DispiMode shown)
            {
                after = before is not null && before.Suits(shown) ? before : MakeShadow(shown);
                _mode = shown;
            }
            else
            {
                after = null;
            }

            _shadow = after;
        }

        if (!ReferenceEquals(before, after))
        {
            _head.SetSurface(after?.Surface);
            before?.Dispose();
        }
    }

    /// <summary>Zeroes the video memory.</summary>
    internal void Clear()
    {
        lock (_lock)
        {
            if (!_disposed)
            {
                _framebuffer.Clear();
            }
        }
    }

    /// <inheritdoc/>
    public void Refresh() => _ = RefreshAndTell();

    /// <summary>As <see cref="Refresh"/>; true where something had changed.</summary>
    internal bool RefreshAndTell()
    {
        Rect[] rects;
        int count;
        lock (_lock)
        {
            if (_shadow is null || _disposed)
            {
                return false;
            }

            rects = ArrayPool<Rect>.Shared.Rent(_shadow.MaxRects);
            count = _shadow.Update(_framebuffer, _mode, rects);
        }

        // Without the lock: an observer may capture, which comes back here.
        _head.Flush(rects.AsSpan(0, count));
        ArrayPool<Rect>.Shared.Return(rects);
        return count != 0;
    }

    public void Dispose()
    {
        SetMode(null);
        lock (_lock)
        {
            _disposed = true;
            _framebuffer.Dispose();
        }
    }

    // A guest that chooses a mode when the host has no memory or descriptors left shows nothing, and keeps running.
    private Shadow? MakeShadow(in DispiMode mode)
    {
        try
        {
            return new Shadow(_name, mode);
        }
        catch (LinuxException e)
        {
            if (!_warned)
            {
                _warned = true;
                _log.LogWarning("Nothing is shown: no surface of {Width}x{Height}: {Reason}", mode.Width, mode.Height, e.Message);
            }

            return null;
        }
    }
}
