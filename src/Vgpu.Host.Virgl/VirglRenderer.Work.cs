// What a guest has done: transfers, commands, fences, and its picture read back. Nothing here allocates.
using System.Runtime.InteropServices;
using Vgpu.Gpus;
using Vgpu.Host.Virgl.Interop;
using Vgpu.Linux;
using Vgpu.Screens;

namespace Vgpu.Host.Virgl;

public sealed unsafe partial class VirglRenderer
{
    /// <summary>Fences that may be due at once; more are answered with ENOBUFS.</summary>
    public const int MaxFences = 4096;

    private readonly FenceQueue _fences = new(MaxFences);

    /// <inheritdoc/>
    public int PollMilliseconds => _isSignalled || _fences.Count == 0 ? -1 : PollInterval;

    /// <inheritdoc/>
    public Errno Transfer(uint context, uint resource, in RendererTransfer3D transfer)
    {
        CheckThread();
        if ((context != 0 && !_contexts.Contains(context)) || !_resources.TryGetValue(resource, out VirglResource? found))
        {
            return Errno.ENOENT;
        }

        if (transfer.Width == 0 || transfer.Height == 0 || transfer.Depth == 0)
        {
            return Errno.None;
        }

        if (found.Vectors is null || TransferBounds.Check(found.Description, transfer, found.Length) != Errno.None)
        {
            return Errno.EINVAL;
        }

        var box = new virgl_box { x = transfer.X, y = transfer.Y, z = transfer.Z, w = transfer.Width, h = transfer.Height, d = transfer.Depth };
        return ErrnoOf(transfer.IsFromHost
            ? _library.TransferRead(resource, context, transfer.Level, transfer.Stride, transfer.LayerStride, &box, transfer.Offset, null, 0)
            : _library.TransferWrite(resource, context, transfer.Level, transfer.Stride, transfer.LayerStride, &box, transfer.Offset));
    }

    /// <inheritdoc/>
    public Errno Submit(uint context, Span<byte> commands)
    {
        CheckThread();
        if (!_contexts.Contains(context))
        {
            return Errno.ENOENT;
        }

        if (commands.Length % sizeof(uint) != 0 || StreamBounds.Check(MemoryMarshal.Cast<byte, uint>(commands), _resources) != Errno.None)
        {
            return Errno.EINVAL;
        }

        fixed (byte* start = commands)
        {
            // Sound: the span is pinned for the call, and the library takes no more words than it is told of.
            return commands.IsEmpty ? Errno.None : ErrnoOf(_library.Submit(start, context, commands.Length / sizeof(uint)));
        }
    }

    /// <inheritdoc/>
    /// <remarks>VirGL has one timeline for all: a fence of a context's ring 0 waits for what the others were given before it, too.</remarks>
    public Errno CreateFence(in RendererFence fence)
    {
        CheckThread();
        if (fence.HasRing && !_contexts.Contains(fence.Context))
        {
            return Errno.ENOENT;
        }

        if (fence.HasRing && fence.Ring != 0)
        {
            return Errno.EINVAL;
        }

        if (_fences.IsFull)
        {
            return Errno.ENOBUFS;
        }

        Errno error = ErrnoOf(_library.CreateFence(_fences.Next));
        if (error == Errno.None)
        {
            _fences.Add(fence);
        }

        return error;
    }

    /// <inheritdoc/>
    public bool TakeSignalled(out RendererFence fence)
    {
        CheckThread();
        if (_fences.TryTake(LibraryCallbacks.Done, out fence))
        {
            return true;
        }

        // Also where nothing is due and a thread waits: that takes its signal back.
        if (!_isSignalled && _fences.Count == 0)
        {
            return false;
        }

        _library.Poll();
        return _fences.TryTake(LibraryCallbacks.Done, out fence);
    }

    /// <inheritdoc/>
    public Errno ReadPixels(uint resource, Rect rect, Span<byte> destination, int stride)
    {
        CheckThread();
        if (!_resources.TryGetValue(resource, out VirglResource? found))
        {
            return Errno.ENOENT;
        }

        if (rect.IsEmpty)
        {
            return Errno.None;
        }

        if (!ShownFormats.TryGet(found.Description, out PixelFormat format))
        {
            return Errno.ENOTSUP;
        }

        int row = rect.Width * Surface.BytesPerPixel;
        if (rect.Width > DisplayMode.MaxSize || rect.Height > DisplayMode.MaxSize || rect.X < 0 || rect.Y < 0
            || (uint)rect.Right > found.Description.Width || (uint)rect.Bottom > found.Description.Height
            || stride < row || stride % Surface.BytesPerPixel != 0 || ((long)stride * (rect.Height - 1)) + row > destination.Length)
        {
            return Errno.EINVAL;
        }

        Errno error;
        fixed (byte* target = destination)
        {
            // Sound: the span is pinned for the call, and holds the rows at their stride.
            var vector = new IoVec { Base = target, Length = (nuint)destination.Length };
            var box = new virgl_box { x = (uint)rect.X, y = (uint)rect.Y, w = (uint)rect.Width, h = (uint)rect.Height, d = 1 };
            error = ErrnoOf(_library.TransferRead(resource, 0, 0, (uint)stride, 0, &box, 0, &vector, 1));
        }

        for (int y = 0; y < rect.Height && error == Errno.None; y++)
        {
            Span<byte> pixels = destination.Slice(y * stride, row);
            ShownFormats.ToB8G8R8A8(pixels, format);
        }

        return error;
    }
}
