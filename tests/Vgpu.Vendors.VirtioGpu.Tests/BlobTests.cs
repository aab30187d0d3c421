// Blobs of guest memory: shown with any layout, copied damage by damage.
using Vgpu.Screens;
using static Vgpu.Vendors.VirtioGpu.Tests.GpuCommands;

namespace Vgpu.Vendors.VirtioGpu.Tests;

public sealed class BlobTests
{
    private const int Width = 30;
    private const int Height = 20;
    private const int Stride = 160;
    private const int Offset = 64;
    private const int Size = Offset + (Stride * Height);

    [Fact]
    public void A_blob_shows_with_its_offset_and_stride()
    {
        using var guest = new GpuGuest();
        Create(guest, 1);
        var rect = new Rect(5, 3, 20, 10);
        Assert.Equal(OK, guest.SetScanoutBlob(0, 1, ScanoutTests.Wire(rect), Width, Height, Stride, Offset));
        Assert.Equal(OK, guest.Flush(1, R(0, 0, Width, Height)));
        AssertShows(guest, rect);
    }

    [Fact]
    public void Only_the_damage_is_copied_after_the_first_flush()
    {
        using var guest = new GpuGuest();
        Create(guest, 1);
        var whole = new Rect(0, 0, Width, Height);
        Assert.Equal(OK, guest.SetScanoutBlob(0, 1, ScanoutTests.Wire(whole), Width, Height, Stride, Offset));
        var heard = new ScanoutTests.Listener(guest.Head);

        // The first flush takes all, whatever it says: nothing of this blob has been shown.
        Assert.Equal(OK, guest.Flush(1, R(1, 1, 1, 1)));
        Assert.Equal([whole], heard.Take());
        AssertShows(guest, whole);

        byte[] before = guest.Head.Capture(false)!.Pixels.ToArray();
        new Random(10).NextBytes(guest.Ram(GpuGuest.PictureOffset, Size));
        Assert.Equal(OK, guest.Flush(1, R(4, 5, 6, 7)));
        Assert.Equal([new Rect(4, 5, 6, 7)], heard.Take());
        ReadOnlySpan<byte> after = guest.Head.Capture(false)!.Pixels.Span;
        for (int y = 0; y < Height; y++)
        {
            for (int x = 0; x < Width; x++)
            {
                bool damaged = new Rect(4, 5, 6, 7).Contains(new Rect(x, y, 1, 1));
                ReadOnlySpan<byte> expected = damaged
                    ? guest.Ram(GpuGuest.PictureOffset + Offset + (ulong)((y * Stride) + (x * 4)), 4)
                    : before.AsSpan(((y * Width) + x) * 4, 4);
                Assert.True(expected[..3].SequenceEqual(after.Slice(((y * Width) + x) * 4, 3)), $"{x},{y}");
            }
        }

        // A flush whose rectangle is nonsense for a blob damages what of it is shown.
        Assert.Equal(OK, guest.Flush(1, R(29, 19, uint.MaxValue, uint.MaxValue)));
        Assert.Equal([new Rect(29, 19, 1, 1)], heard.Take());
        Assert.Equal(OK, guest.Flush(1, R(uint.MaxValue, 0, uint.MaxValue, 1)));
        Assert.Empty(heard.Take());
    }

    [Fact]
    public void Flipping_between_blobs_keeps_the_surface_and_shows_all_of_the_new_one()
    {
        using var guest = new GpuGuest();
        Create(guest, 1);
        Assert.Equal(OK, guest.CreateBlob(2, Size, Backing(GpuGuest.PictureOffset + 0x1000_00, Size)));
        guest.Ram(GpuGuest.PictureOffset + 0x1000_00, Size).Fill(0x42);
        VirtioGpuRect whole = R(0, 0, Width, Height);
        Assert.Equal(OK, guest.SetScanoutBlob(0, 1, whole, Width, Height, Stride, Offset));
        Assert.Equal(OK, guest.Flush(1, whole));
        ulong used = guest.Device.VideoMemoryUsed;
        Assert.Equal(OK, guest.SetScanoutBlob(0, 2, whole, Width, Height, Stride, Offset));
        Assert.Equal(OK, guest.Flush(2, R(0, 0, 1, 1)));
        Assert.Equal(-1, guest.Head.Capture(false)!.Pixels.Span.IndexOfAnyExcept((byte)0x42, (byte)0xff, (byte)0));
        Assert.Equal(used, guest.Device.VideoMemoryUsed);

        Assert.Equal(OK, guest.Unref(2));
        Assert.Null(guest.Head.Capture(false));
        Assert.Equal(OK, guest.Unref(1));
        Assert.Equal(0UL, guest.Device.VideoMemoryUsed);
    }

    [Fact]
    public void A_blob_can_lose_its_backing_and_get_another()
    {
        using var guest = new GpuGuest();
        Create(guest, 1);
        VirtioGpuRect whole = R(0, 0, Width, Height);
        Assert.Equal(OK, guest.SetScanoutBlob(0, 1, whole, Width, Height, Stride, Offset));
        Assert.Equal(OK, guest.Flush(1, whole));
        Assert.Equal(OK, guest.Detach(1));
        Assert.Equal(VirtioGpuConstants.VIRTIO_GPU_RESP_ERR_UNSPEC, guest.Flush(1, whole));
        Assert.Equal(VirtioGpuConstants.VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER, guest.Attach(1, Backing(GpuGuest.PictureOffset, Size - 1)));
        Assert.Equal(OK, guest.Attach(1, Backing(GpuGuest.PictureOffset, Size)));
        new Random(11).NextBytes(guest.Ram(GpuGuest.PictureOffset, Size));
        Assert.Equal(OK, guest.Flush(1, whole));
        AssertShows(guest, new Rect(0, 0, Width, Height));
    }

    private static void Create(GpuGuest guest, uint id)
    {
        new Random(9).NextBytes(guest.Ram(GpuGuest.PictureOffset, Size));
        Assert.Equal(OK, guest.CreateBlob(id, Size, Backing(GpuGuest.PictureOffset, Size), flags: 3));
    }

    private static void AssertShows(GpuGuest guest, Rect rect)
    {
        Picture picture = guest.Head.Capture(false)!;
        Assert.Equal((rect.Width, rect.Height), (picture.Width, picture.Height));
        for (int y = 0; y < rect.Height; y++)
        {
            int from = Offset + ((rect.Y + y) * Stride) + (rect.X * 4);
            PictureTests.AssertSameColours(
                guest.Ram(GpuGuest.PictureOffset + (ulong)from, rect.Width * 4), picture.Pixels.Span.Slice(y * rect.Width * 4, rect.Width * 4));
        }
    }
}
