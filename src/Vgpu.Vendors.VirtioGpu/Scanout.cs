// What one head shows: a rectangle of a 2D resource, of the renderer's, or of a guest blob (virtio 1.2, 5.7.6.8).
using Vgpu.Linux;
using Vgpu.Screens;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>How a blob is a picture (SET_SCANOUT_BLOB).</summary>
/// <param name="Format">Of its pixels.</param>
/// <param name="Offset">Bytes from the blob's start to the picture's first pixel.</param>
/// <param name="Stride">Bytes from a row to the next.</param>
internal readonly record struct BlobLayout(PixelFormat Format, ulong Offset, uint Stride);

/// <summary>
/// One scanout and its head. A 2D resource is shown where its pixels are; a blob and what the renderer has are copied, damage by
/// damage, into a surface that belongs to the scanout and counts against the quota. Used with the device's lock held.
/// </summary>
internal sealed partial class Scanout(Head head, VideoMemory memory) : IDisposable
{
    private Rect _rect;
    private BlobLayout _layout;

    // Made here: a slice of a resource's surface, or a copy, whose cost is charged.
    private Surface? _own;
    private ulong _ownCost;

    // The renderer's thread writes there: it stays until it is returned.
    private Surface? _lent;

    // Something was put on that nothing has been copied from yet: the first flush takes all of it.
    private bool _stale;

    /// <summary>How what a renderer gives is kept.</summary>
    internal static BlobLayout Rendered => new(PixelFormat.B8G8R8X8, 0, 0);

    /// <summary>The part of the resource that is shown.</summary>
    internal Rect Rect => _rect;

    internal Head Head { get; } = head;

    internal FramePace Pace { get; } = new();

    /// <summary>What is shown; null: nothing.</summary>
    internal GpuResource? Resource { get; private set; }

    /// <summary>Shows a part of a 2D resource, which holds <paramref name="rect"/>. A VIRTIO_GPU_RESP.</summary>
    internal uint Show(Resource2D resource, Rect rect)
    {
        if (ReferenceEquals(Resource, resource) && _rect == rect)
        {
            return VIRTIO_GPU_RESP_OK_NODATA;
        }

        if (resource.Host.GetSurface() is not { } whole)
        {
            return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
        }

        bool isWhole = rect == new Rect(0, 0, whole.Width, whole.Height);
        Surface? slice = isWhole ? null : whole.Slice(rect);
        Replace(slice ?? whole, slice);
        ReleaseCost();
        Resource = resource;
        _rect = rect;
        return VIRTIO_GPU_RESP_OK_NODATA;
    }

    /// <summary>Shows a part of a blob or of a renderer's resource, which holds all of it. The picture comes with the first flush. A VIRTIO_GPU_RESP.</summary>
    internal uint Show(GpuResource copied, in BlobLayout layout, Rect rect)
    {
        bool reuse = Resource is GuestBlob or Resource3D && _own is { } old && old.Width == rect.Width && old.Height == rect.Height
            && old.Format == layout.Format;
        if (!reuse)
        {
            ulong cost = VideoMemory.CostOf((ulong)rect.Width * (ulong)rect.Height * BytesPerPixel);
            if (!memory.TryExchange(_ownCost, cost))
            {
                return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
            }

            Surface copy;
            try
            {
                copy = Surface.Create("vgpu-scanout", rect.Width, rect.Height, layout.Format);
            }
            catch (LinuxException)
            {
                _ = memory.TryExchange(cost, _ownCost); // What it was before, which fitted.
                return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
            }

            Replace(copy, copy);
            _ownCost = cost;
        }

        _stale = !reuse || !ReferenceEquals(Resource, copied) || _layout != layout || _rect != rect || _stale;
        Resource = copied;
        _rect = rect;
        _layout = layout;
        return VIRTIO_GPU_RESP_OK_NODATA;
    }

    /// <summary>Whether a flush of this part of a resource is a frame here.</summary>
    internal bool Shows(GpuResource resource, Rect rect) => ReferenceEquals(Resource, resource) && (_stale || !rect.Intersect(_rect).IsEmpty);

    /// <summary>Whether the head can show a picture of this size.</summary>
    internal bool CanShow(Rect rect) => !rect.IsEmpty && rect.Width <= Head.MaxMode.Width && rect.Height <= Head.MaxMode.Height;

    /// <summary>Whether the next flush makes more new than it says.</summary>
    internal bool IsStale => _stale;

    /// <summary>Shows nothing.</summary>
    internal void Disable()
    {
        if (Resource is not null)
        {
            Replace(null, null);
            ReleaseCost();
            Resource = null;
            _rect = default;
            _layout = default;
            _stale = false;
            IsToRecover = false;
        }
    }

    /// <summary>This part of the shown resource is new, in the resource's coordinates. Allocates nothing.</summary>
    internal Errno Flush(Rect rect, bool isAgain = false)
    {
        Rect damage = rect.Intersect(_rect);
        if (Resource is GuestBlob blob)
        {
            damage = _stale ? _rect : damage;
            if (damage.IsEmpty)
            {
                return Errno.None;
            }

            Errno error = CopyFrom(blob, damage);
            if (error != Errno.None)
            {
                return error;
            }

            _stale = false;
        }

        damage = damage with { X = damage.X - _rect.X, Y = damage.Y - _rect.Y };
        Tell(damage, isAgain);

        return Errno.None;
    }

    /// <summary>Where the renderer's thread puts what is new of the resource, <paramref name="rect"/> of it or all; false: nothing of it is shown.</summary>
    internal bool TryLend(Rect rect, out FlushTarget target)
    {
        Rect damage = _stale ? _rect : rect.Intersect(_rect);
        if (damage.IsEmpty)
        {
            target = default;
            return false;
        }

        _lent = _own;
        target = new FlushTarget { Scanout = this, Surface = _own!, From = damage, X = damage.X - _rect.X, Y = damage.Y - _rect.Y, IsFirst = _stale };
        return true;
    }

    /// <summary>The renderer's thread has done with it; <paramref name="isDone"/>: and the head shows it.</summary>
    internal void Return(in FlushTarget target, bool isDone, bool isAgain = false)
    {
        _lent = null;
        if (!ReferenceEquals(_own, target.Surface))
        {
            target.Surface.Dispose();
        }
        else if (isDone)
        {
            _stale = false;
            IsToRecover = false;
            Tell(new Rect(target.X, target.Y, target.From.Width, target.From.Height), isAgain);
        }
    }

    public void Dispose() => Disable();

    private void Tell(Rect damage, bool isAgain)
    {
        if (isAgain)
        {
            Head.Redraw(damage);
        }
        else
        {
            Head.Flush(damage);
        }
    }

    private unsafe Errno CopyFrom(GuestBlob blob, Rect damage)
    {
        if (blob.Backing is not { } backing)
        {
            return Errno.ENXIO; // It was detached: not for now, but until the next attach.
        }

        int x = damage.X - _rect.X;
        int y = damage.Y - _rect.Y;
        ulong offset = _layout.Offset + ((ulong)y * _layout.Stride) + ((ulong)x * BytesPerPixel);

        // Sound: the damage lies within the scanout's rectangle, which is as large as this surface, ours alone.
        byte* destination = _own!.Pixels + ((long)y * _own.Stride) + ((long)x * BytesPerPixel);
        ulong row = (ulong)damage.Width * BytesPerPixel;
        return backing.CopyRowsTo(offset, _layout.Stride, destination, (ulong)_own.Stride, row, damage.Height);
    }

    // The head lets go of the old surface before it is freed.
    private void Replace(Surface? shown, Surface? own)
    {
        Head.SetSurface(shown);
        if (!ReferenceEquals(_own, _lent))
        {
            _own?.Dispose();
        }

        _own = own;
    }

    private void ReleaseCost()
    {
        memory.Release(_ownCost);
        _ownCost = 0;
    }
}
