// The cursor queue: pictures, places and hot spots.
using Vgpu.Screens;
using static Vgpu.Vendors.VirtioGpu.Tests.GpuCommands;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu.Tests;

public sealed class CursorTests
{
    private const int PictureBytes = 64 * 64 * 4;

    [Theory]
    [InlineData(1, 2, 1, 0, 3)]
    [InlineData(2, 2, 1, 0, 3)]
    [InlineData(3, 1, 2, 3, 0)]
    [InlineData(4, 1, 2, 3, 0)]
    [InlineData(67, 0, 1, 2, 3)]
    [InlineData(68, 3, 2, 1, 0)]
    [InlineData(121, 3, 2, 1, 0)]
    [InlineData(134, 0, 1, 2, 3)]
    public void A_cursor_becomes_B8G8R8A8(uint format, int red, int green, int blue, int alpha)
    {
        using var guest = new GpuGuest();
        byte[] source = Prepare(guest, format);
        Assert.Equal(OK, guest.UpdateCursor(0, 1, 0, 0));
        ReadOnlySpan<byte> pixels = guest.Head.Cursor.Image!.Pixels.Span;
        for (int i = 0; i < PictureBytes; i += 4)
        {
            Assert.Equal((source[i + blue], source[i + green], source[i + red], source[i + alpha]), (pixels[i], pixels[i + 1], pixels[i + 2], pixels[i + 3]));
        }
    }

    [Fact]
    public void The_hot_spot_goes_with_the_picture()
    {
        using var guest = new GpuGuest(heads: 2);
        _ = Prepare(guest, 1);
        Assert.Equal(OK, guest.UpdateCursor(1, 1, 100, 50, hotX: 3, hotY: 7));
        Assert.Null(guest.Head.Cursor.Image);
        (CursorImage? image, int x, int y) = guest.Screen.Heads[1].Cursor;
        Assert.Equal((3, 7, 64, 64), (image!.HotX, image.HotY, image.Width, image.Height));
        Assert.Equal((103, 57), (x, y));

        Assert.Equal(OK, guest.MoveCursor(1, -3, -64));
        Assert.Equal((0, -57), (guest.Screen.Heads[1].Cursor.X, guest.Screen.Heads[1].Cursor.Y));
        Assert.Same(image, guest.Screen.Heads[1].Cursor.Image);

        Assert.Equal(OK, guest.UpdateCursor(1, 1, int.MaxValue, int.MinValue, uint.MaxValue, uint.MaxValue));
        Assert.Equal((63, 63), (guest.Screen.Heads[1].Cursor.Image!.HotX, guest.Screen.Heads[1].Cursor.Image!.HotY));

        Assert.Equal(OK, guest.UpdateCursor(1, 0, 5, 6));
        Assert.Equal((null, 5, 6), guest.Screen.Heads[1].Cursor);
    }

    [Fact]
    public void A_picture_outlives_its_resource_and_goes_at_reset()
    {
        using var guest = new GpuGuest();
        _ = Prepare(guest, 1);
        Assert.Equal(OK, guest.UpdateCursor(0, 1, 0, 0));
        Assert.Equal(OK, guest.Unref(1));
        Assert.NotNull(guest.Head.Cursor.Image);
        guest.ResetFunction();
        Assert.Null(guest.Head.Cursor.Image);
    }

    [Fact]
    public void A_blob_is_a_cursor_without_any_transfer_and_linux_sends_one_all_the_same()
    {
        using var guest = new GpuGuest();
        Span<byte> pixels = guest.Ram(GpuGuest.PictureOffset, PictureBytes);
        new Random(8).NextBytes(pixels);
        Assert.Equal(OK, guest.CreateBlob(1, PictureBytes, Backing(GpuGuest.PictureOffset, PictureBytes)));
        Assert.Equal(OK, guest.Transfer(1, R(0, 0, 64, 64)));
        Assert.Equal(OK, guest.UpdateCursor(0, 1, 0, 0));
        Assert.True(pixels.SequenceEqual(guest.Head.Cursor.Image!.Pixels.Span));

        Assert.Equal(OK, guest.CreateBlob(2, PictureBytes - 1, Backing(GpuGuest.PictureOffset, PictureBytes)));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER, guest.UpdateCursor(0, 2, 0, 0));
    }

    [Fact]
    public void A_driver_without_room_for_a_response_gets_none()
    {
        using var guest = new GpuGuest();
        var request = new byte[56];
        request[0] = 0x01;
        request[1] = 0x03;
        request[28] = 9;
        Assert.Equal(0u, guest.SendBytes(request, room: 0, CURSORQ));
        Assert.Equal(0u, guest.ResponseLength);
        Assert.Equal(9, guest.Head.Cursor.X);
    }

    private static byte[] Prepare(GpuGuest guest, uint format)
    {
        Span<byte> pixels = guest.Ram(GpuGuest.PictureOffset, PictureBytes);
        new Random(7).NextBytes(pixels);
        Assert.Equal(OK, guest.Create2D(1, 64, 64, format));
        Assert.Equal(OK, guest.Attach(1, Backing(GpuGuest.PictureOffset, PictureBytes)));
        Assert.Equal(OK, guest.Transfer(1, R(0, 0, 64, 64)));
        return pixels.ToArray();
    }
}
