// UPDATE_CURSOR and MOVE_CURSOR (virtio 1.2, 5.7.6.10): the pointer's picture and place on each head.
using System.Buffers.Binary;
using Vgpu.Screens;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>
/// Each command answers with a VIRTIO_GPU_RESP, which Linux gives no buffer for. A driver tells where the picture's top
/// left corner is (a DRM cursor plane's crtc_x and crtc_y), a head wants the hot spot's place.
/// </summary>
internal sealed partial class CursorCommands(ResourceTable resources, IReadOnlyList<Head> heads, Rendering? rendering)
{
    private const int PictureBytes = CURSOR_SIZE * CURSOR_SIZE * BytesPerPixel;

    // A cursor this far out is not seen; nearer, sums with its size do not overflow.
    private const int MaxCoordinate = 1 << 20;

    private readonly (int X, int Y)[] _hotSpots = new (int X, int Y)[heads.Count];

    internal uint Update(in ControlCommand command)
    {
        if (!command.TryRead(out VirtioGpuUpdateCursor request))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        if (request.ScanoutId >= (uint)heads.Count)
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
        }

        Head head = heads[(int)request.ScanoutId];
        ref (int X, int Y) hot = ref _hotSpots[request.ScanoutId];
        if (request.ResourceId == 0)
        {
            hot = default;
            head.SetCursor(null, Coordinate(request.X), Coordinate(request.Y));
            return VIRTIO_GPU_RESP_OK_NODATA;
        }

        if (!resources.TryFind(request.ResourceId, out GpuResource? resource))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
        }

        if (resource is Resource3D rendered)
        {
            return ReadRendered(rendered, request);
        }

        var pixels = new byte[PictureBytes];
        uint response = resource is Resource2D picture ? Read(picture, pixels) : Read((GuestBlob)resource, pixels);
        if (response == VIRTIO_GPU_RESP_OK_NODATA)
        {
            Set(request, pixels);
        }

        return response;
    }

    /// <summary>The picture of a renderer's resource is there.</summary>
    internal void ShowRendered(RendererCall call) => Set(call.Cursor, call.Data.AsSpan(0, PictureBytes).ToArray());

    private void Set(in VirtioGpuUpdateCursor request, byte[] pixels)
    {
        ref (int X, int Y) hot = ref _hotSpots[request.ScanoutId];
        hot = ((int)Math.Min(request.HotX, CURSOR_SIZE - 1), (int)Math.Min(request.HotY, CURSOR_SIZE - 1));
        heads[(int)request.ScanoutId].SetCursor(
            new CursorImage(CURSOR_SIZE, CURSOR_SIZE, hot.X, hot.Y, pixels),
            Coordinate(request.X) + hot.X, Coordinate(request.Y) + hot.Y);
    }

    // Such a command is the renderer's thread's, though the queue is not.
    private uint ReadRendered(Resource3D resource, in VirtioGpuUpdateCursor request)
    {
        if (!rendering!.IsOwnThread)
        {
            rendering.Ready(CURSORQ);
            return ControlCommand.Left;
        }

        if (resource.Description.Width != CURSOR_SIZE || resource.Description.Height != CURSOR_SIZE)
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        uint answer = rendering.Call.Begin(RendererCallKind.ReadCursor, resource: resource.Id);
        rendering.Call.Cursor = request;
        rendering.Call.TakeData(PictureBytes);
        return answer;
    }

    /// <summary>Data path: allocates nothing.</summary>
    internal uint Move(in ControlCommand command)
    {
        if (!command.TryRead(out VirtioGpuUpdateCursor request))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        if (request.ScanoutId >= (uint)heads.Count)
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
        }

        (int hotX, int hotY) = _hotSpots[request.ScanoutId];
        heads[(int)request.ScanoutId].MoveCursor(Coordinate(request.X) + hotX, Coordinate(request.Y) + hotY);
        return VIRTIO_GPU_RESP_OK_NODATA;
    }

    /// <summary>Shows no cursor on any head.</summary>
    internal void Reset()
    {
        Array.Clear(_hotSpots);
        foreach (Head head in heads)
        {
            head.SetCursor(null, 0, 0);
        }
    }

    private static int Coordinate(uint value) => Math.Clamp((int)value, -MaxCoordinate, MaxCoordinate);

    private static uint Read(Resource2D picture, byte[] pixels)
    {
        if (picture.Host.Width != CURSOR_SIZE || picture.Host.Height != CURSOR_SIZE
            || !picture.Host.ReadPixels(new Rect(0, 0, CURSOR_SIZE, CURSOR_SIZE), pixels))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        ToB8G8R8A8(picture.Host.Format, pixels);
        return VIRTIO_GPU_RESP_OK_NODATA;
    }

    // A blob has no format here; it is taken for B8G8R8A8, as QEMU does and Linux means.
    private static uint Read(GuestBlob blob, byte[] pixels)
    {
        if (blob.Size < PictureBytes)
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        return blob.Backing is { } backing ? ControlCommand.ResponseTo(backing.CopyTo(0, pixels)) : VIRTIO_GPU_RESP_ERR_UNSPEC;
    }

    private static void ToB8G8R8A8(PixelFormat format, byte[] pixels)
    {
        // Where red, green, blue and alpha are in a pixel's four bytes. A byte without a name is alpha too: Linux makes its
        // cursors' resources without alpha and means it all the same, and QEMU takes the four bytes as they are.
        (int red, int green, int blue, int alpha) = format switch
        {
            PixelFormat.B8G8R8A8 or PixelFormat.B8G8R8X8 => (2, 1, 0, 3),
            PixelFormat.A8R8G8B8 or PixelFormat.X8R8G8B8 => (1, 2, 3, 0),
            PixelFormat.R8G8B8A8 or PixelFormat.R8G8B8X8 => (0, 1, 2, 3),
            _ => (3, 2, 1, 0), // X8B8G8R8, A8B8G8R8
        };
        if (blue == 0)
        {
            return;
        }

        for (int i = 0; i < pixels.Length; i += BytesPerPixel)
        {
            Span<byte> pixel = pixels.AsSpan(i, BytesPerPixel);
            BinaryPrimitives.WriteUInt32LittleEndian(
                pixel, pixel[blue] | ((uint)pixel[green] << 8) | ((uint)pixel[red] << 16) | ((uint)pixel[alpha] << 24));
        }
    }
}
