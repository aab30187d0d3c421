// Scanouts as saved state: which part of which resource a head shows; of a blob also the picture that was copied of it.
using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Vfio.Migration;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu;

internal sealed partial class ScanoutCommands
{
    internal void SaveState(StateWriter state)
    {
        foreach (Scanout scanout in scanouts)
        {
            scanout.SaveState(state);
        }
    }

    /// <summary>Shows what a checkpoint left out; EFAULT: not all of it yet.</summary>
    internal Errno Recover(bool giveUp)
    {
        Errno error = Errno.None;
        foreach (Scanout scanout in scanouts)
        {
            Errno one = scanout.Recover(giveUp);
            error = one == Errno.EFAULT ? one : error;
        }

        return error;
    }

    /// <summary>Has the renderer's thread show again what a checkpoint left out.</summary>
    internal void LendToRecover(Resource3D resource, RendererCall call)
    {
        foreach (Scanout scanout in scanouts)
        {
            if (ReferenceEquals(scanout.Resource, resource) && scanout.IsToRecover && scanout.TryLend(default, out FlushTarget target))
            {
                call.Add(target);
            }
        }
    }

    /// <summary>After the resources.</summary>
    internal void LoadState(StateReader state)
    {
        foreach (Scanout scanout in scanouts)
        {
            scanout.LoadState(state, resources);
        }
    }
}

internal sealed partial class Scanout
{
    /// <summary>Whether it showed what it is to show again.</summary>
    internal bool IsToRecover { get; set; }

    /// <summary>Bytes at most beside the copy of a blob, which counts against the quota.</summary>
    internal static int MaxStateLength => Marshal.SizeOf<SavedScanout>();

    internal void SaveState(StateWriter state)
    {
        bool isBlob = Resource is GuestBlob;
        state.Write(new SavedScanout
        {
            ResourceId = Resource?.Id ?? 0,
            X = _rect.X,
            Y = _rect.Y,
            Width = _rect.Width,
            Height = _rect.Height,
            Format = isBlob ? (uint)_layout.Format : 0,
            Offset = isBlob ? _layout.Offset : 0,
            Stride = isBlob ? _layout.Stride : 0,
            Stale = Resource is not Resource2D && _stale ? 1u : 0,
        });
        for (int y = 0; isBlob && !state.IsCheckpoint && y < _rect.Height; y++)
        {
            state.Write(_own!.Row(y));
        }
    }

    /// <summary>After <see cref="Disable"/>, with the resources loaded.</summary>
    internal void LoadState(StateReader state, ResourceTable resources)
    {
        IsToRecover = false;
        SavedScanout saved = state.Read<SavedScanout>();
        if (saved.ResourceId == 0)
        {
            StateReader.Require(saved == default, "a scanout of nothing that is somewhere");
            return;
        }

        var rect = new Rect(saved.X, saved.Y, saved.Width, saved.Height);
        StateReader.Require(
            saved.X >= 0 && saved.Y >= 0 && saved.Width > 0 && saved.Height > 0 && CanShow(rect), "the rectangle of a scanout");
        switch (resources.TryFind(saved.ResourceId, out GpuResource? resource) ? resource : null)
        {
            case Resource2D picture:
                StateReader.Require(
                    saved.Format == 0 && saved.Offset == 0 && saved.Stride == 0 && saved.Stale == 0, "the layout of a picture that has its own");
                LoadPicture(picture, rect);
                break;
            case Resource3D rendered:
                StateReader.Require(
                    saved.Format == 0 && saved.Offset == 0 && saved.Stride == 0 && saved.Stale <= 1 && state.IsCheckpoint, "the layout of a picture that has its own");
                StateReader.Require(
                    (ulong)rect.X + (ulong)rect.Width <= rendered.Description.Width && (ulong)rect.Y + (ulong)rect.Height <= rendered.Description.Height, "a scanout beyond its resource");
                StateReader.Require(Show(rendered, Rendered, rect) == VIRTIO_GPU_RESP_OK_NODATA, "more than this vGPU's video memory, or the host's");
                IsToRecover = saved.Stale == 0;
                break;
            case GuestBlob blob:
                LoadBlob(blob, saved, rect, state);
                break;
            default:
                throw new InvalidDataException("a scanout of a resource that is not there");
        }

        Head.Redraw(rect with { X = 0, Y = 0 });
    }

    private void LoadPicture(Resource2D picture, Rect rect)
    {
        StateReader.Require(
            (long)rect.X + rect.Width <= picture.Host.Width && (long)rect.Y + rect.Height <= picture.Host.Height, "a scanout beyond its resource");
        StateReader.Require(Show(picture, rect) == VIRTIO_GPU_RESP_OK_NODATA, "the host has no memory for a scanout");
        picture.Host.Flush(rect);
    }

    private void LoadBlob(GuestBlob blob, in SavedScanout saved, Rect rect, StateReader state)
    {
        ulong row = (ulong)rect.Width * BytesPerPixel;
        UInt128 end = (UInt128)saved.Offset + (((ulong)rect.Height - 1) * saved.Stride) + row;
        StateReader.Require(
            GuestFormat.TryParse(saved.Format, out PixelFormat format) && saved.Stale <= 1 && end <= blob.Size
            && ((ulong)rect.X * BytesPerPixel) + row <= saved.Stride && (long)rect.Y + rect.Height <= int.MaxValue, "the layout of a blob");
        StateReader.Require(state.IsCheckpoint || (ulong)state.Left >= row * (ulong)rect.Height, "the picture of a blob is not there");
        uint response = Show(blob, new BlobLayout(format, saved.Offset, saved.Stride), rect);
        StateReader.Require(response == VIRTIO_GPU_RESP_OK_NODATA, "more than this vGPU's video memory, or the host's");
        for (int y = 0; !state.IsCheckpoint && y < rect.Height; y++)
        {
            state.Read(_own!.Row(y));
        }

        // Without its pixels it is as new; what had been copied is copied again.
        _stale = saved.Stale == 1 || state.IsCheckpoint;
        IsToRecover = saved.Stale == 0 && state.IsCheckpoint;
    }

    /// <summary>
    /// Shows again what a blob's checkpoint left out, or the part of a 2D resource that is shown, whose pixels are there again.
    /// EFAULT: not now.
    /// </summary>
    internal Errno Recover(bool giveUp)
    {
        if (Resource is null or Resource3D || (Resource is GuestBlob && !IsToRecover))
        {
            return Errno.None;
        }

        Errno errno = Flush(_rect, isAgain: true);
        IsToRecover = errno == Errno.EFAULT && !giveUp;
        return errno;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private record struct SavedScanout
    {
        internal uint ResourceId;
        internal int X;
        internal int Y;
        internal int Width;
        internal int Height;
        internal uint Format;
        internal ulong Offset;
        internal uint Stride;
        internal uint Stale;
    }
}
