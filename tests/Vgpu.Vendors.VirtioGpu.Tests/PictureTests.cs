// The whole 2D path: create, attach, scan out, transfer, flush, and what a viewer then sees.
using System.Buffers.Binary;
using Vgpu.Screens;
using static Vgpu.Vendors.VirtioGpu.Tests.GpuCommands;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu.Tests;

public sealed class PictureTests
{
    [Fact]
    public void A_picture_goes_from_the_guest_to_the_head()
    {
        using var guest = new GpuGuest();
        Assert.Equal(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, guest.GetDisplayInfo());
        Assert.Equal(OK, guest.Create2D(1, 64, 32));
        Assert.Equal(OK, guest.Attach(1, Backing(GpuGuest.PictureOffset, 64 * 32 * 4)));
        Assert.Equal(OK, guest.SetScanout(0, 1, R(0, 0, 64, 32)));
        Span<byte> pixels = guest.Ram(GpuGuest.PictureOffset, 64 * 32 * 4);
        new Random(1).NextBytes(pixels);
        Assert.Equal(OK, guest.Transfer(1, R(0, 0, 64, 32)));
        Assert.Equal(OK, guest.Flush(1, R(0, 0, 64, 32)));

        Picture picture = guest.Head.Capture(withCursor: false)!;
        Assert.Equal((64, 32), (picture.Width, picture.Height));
        AssertSameColours(pixels, picture.Pixels.Span);
    }

    [Fact]
    public void A_transfer_takes_rows_of_the_resources_width_from_any_offset()
    {
        using var guest = new GpuGuest();
        const int width = 40;
        const int height = 30;
        Assert.Equal(OK, guest.Create2D(1, width, height));
        Assert.Equal(OK, guest.Attach(1, Scatter(guest, width * height * 4, 100)));
        Assert.Equal(OK, guest.SetScanout(0, 1, R(0, 0, width, height)));
        var source = new byte[width * height * 4];
        new Random(2).NextBytes(source);
        Fill(guest, source, 100);
        var expected = new byte[source.Length];

        (uint X, uint Y, uint W, uint H, int Offset)[] transfers =
            [(3, 4, 10, 5, ((4 * width) + 3) * 4), (0, 10, width, 7, 0), (20, 0, 20, 30, 80), (39, 29, 1, 1, 4), (0, 0, 0, 0, 0)];
        foreach ((uint x, uint y, uint w, uint h, int offset) in transfers)
        {
            Assert.Equal(OK, guest.Transfer(1, R(x, y, w, h), (ulong)offset));
            for (int row = 0; row < h; row++)
            {
                source.AsSpan(offset + (row * width * 4), (int)w * 4).CopyTo(expected.AsSpan(((((int)y + row) * width) + (int)x) * 4));
            }

            Assert.Equal(OK, guest.Flush(1, R(x, y, w, h)));
            AssertSameColours(expected, guest.Head.Capture(withCursor: false)!.Pixels.Span);
        }
    }

    [Theory]
    [InlineData(1, 2, 1, 0)]
    [InlineData(2, 2, 1, 0)]
    [InlineData(3, 1, 2, 3)]
    [InlineData(4, 1, 2, 3)]
    [InlineData(67, 0, 1, 2)]
    [InlineData(68, 3, 2, 1)]
    [InlineData(121, 3, 2, 1)]
    [InlineData(134, 0, 1, 2)]
    public void Each_format_shows_its_colours(uint format, int red, int green, int blue)
    {
        using var guest = new GpuGuest();
        Assert.Equal(OK, guest.Create2D(1, 1, 1, format));
        Assert.Equal(OK, guest.Attach(1, Backing(GpuGuest.PictureOffset, 4)));
        Span<byte> pixel = guest.Ram(GpuGuest.PictureOffset, 4);
        pixel.Fill(0xff);
        pixel[red] = 1;
        pixel[green] = 2;
        pixel[blue] = 3;
        Assert.Equal(OK, guest.SetScanout(0, 1, R(0, 0, 1, 1)));
        Assert.Equal(OK, guest.Transfer(1, R(0, 0, 1, 1)));
        Assert.Equal(0x010203u, BinaryPrimitives.ReadUInt32LittleEndian(guest.Head.Capture(false)!.Pixels.Span) & 0xffffff);
    }

    [Fact]
    public void Pixels_stay_when_a_resource_is_shown_after_its_transfer()
    {
        using var guest = new GpuGuest();
        Assert.Equal(OK, guest.Create2D(1, 17, 9));
        Assert.Equal(OK, guest.Attach(1, Backing(GpuGuest.PictureOffset, 17 * 9 * 4)));
        Span<byte> pixels = guest.Ram(GpuGuest.PictureOffset, 17 * 9 * 4);
        new Random(3).NextBytes(pixels);
        Assert.Equal(OK, guest.Transfer(1, R(0, 0, 17, 9)));
        Assert.Null(guest.Head.Capture(false));
        Assert.Equal(OK, guest.SetScanout(0, 1, R(0, 0, 17, 9)));
        AssertSameColours(pixels, guest.Head.Capture(false)!.Pixels.Span);

        Assert.Equal(OK, guest.Detach(1));
        AssertSameColours(pixels, guest.Head.Capture(false)!.Pixels.Span);
        Assert.Equal(OK, guest.SetScanout(0, 0, default));
        Assert.Null(guest.Head.Capture(false));
    }

    internal static void AssertSameColours(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i += 4)
        {
            Assert.True(expected.Slice(i, 3).SequenceEqual(actual.Slice(i, 3)), $"pixel {i / 4}");
        }
    }

    /// <summary>Entries of at most this many bytes, backwards through memory with gaps between them.</summary>
    internal static VirtioGpuMemEntry[] Scatter(GpuGuest guest, int length, int piece)
    {
        int count = (length + piece - 1) / piece;
        var entries = new VirtioGpuMemEntry[count];
        for (int i = 0; i < count; i++)
        {
            entries[i] = new VirtioGpuMemEntry
            {
                Addr = GpuGuest.RamIova + GpuGuest.PictureOffset + ((ulong)(count - 1 - i) * 2 * (ulong)piece),
                Length = (uint)Math.Min(piece, length - (i * piece)),
            };
        }

        return entries;
    }

    /// <summary>Puts bytes where <see cref="Scatter"/> has its entries.</summary>
    internal static void Fill(GpuGuest guest, ReadOnlySpan<byte> source, int piece)
    {
        int count = (source.Length + piece - 1) / piece;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> part = source.Slice(i * piece, Math.Min(piece, source.Length - (i * piece)));
            part.CopyTo(guest.Ram(GpuGuest.PictureOffset + ((ulong)(count - 1 - i) * 2 * (ulong)piece), part.Length));
        }
    }
}
