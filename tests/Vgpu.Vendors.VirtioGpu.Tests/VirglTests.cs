// The device on the host's real library: what a context draws is what a head shows.
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Host.Virgl;
using Vgpu.Screens;
using Vgpu.Testing;
using static Vgpu.Vendors.VirtioGpu.Tests.GpuCommands;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu.Tests;

public sealed class VirglTests
{
    private const int Width = 96;
    private const int Height = 56;
    private const int Bytes = Width * Height * 4;
    private const uint Cyan = 0x0000ffff;
    private const uint Red = 0x00ff0000;

    [Fact]
    public void A_clear_in_a_context_is_on_the_screen_pixel_by_pixel()
    {
        using GpuGuest guest = Make();
        Begin(guest);
        Assert.Equal(OK, guest.SetScanout(0, 1, R(0, 0, Width, Height)));
        Assert.Equal(OK, guest.Submit(1, Words(new CommandStream().Target(1, 1, B8G8R8X8).Clear(0, 1, 1, 1))));
        Assert.Equal(OK, guest.Flush(1, R(0, 0, Width, Height)));
        AssertShows(guest, (_, _) => Cyan);

        // Drawn, and not flushed but for a part: a head shows that part and no more.
        Assert.Equal(OK, guest.Submit(1, Words(new CommandStream().Clear(1, 0, 0, 1))));
        AssertShows(guest, (_, _) => Cyan);
        Assert.Equal(OK, guest.Flush(1, R(10, 20, 30, 7)));
        AssertShows(guest, (x, y) => x is >= 10 and < 40 && y is >= 20 and < 27 ? Red : Cyan);
    }

    [Fact]
    public void A_fence_comes_when_the_library_is_done_and_the_capsets_are_its_own()
    {
        using GpuGuest guest = Make();
        Assert.Equal(2u, guest.ReadConfig(3));
        for (uint i = 0; i < 2; i++)
        {
            Assert.Equal(VIRTIO_GPU_RESP_OK_CAPSET_INFO, guest.Send(VIRTIO_GPU_CMD_GET_CAPSET_INFO, new VirtioGpuGetCapsetInfo { CapsetIndex = i }));
            VirtioGpuRespCapsetInfo info = guest.ResponseAs<VirtioGpuRespCapsetInfo>();
            Assert.Equal(i + 1, info.CapsetId);
            Assert.Equal(VIRTIO_GPU_RESP_OK_CAPSET, guest.Send(VIRTIO_GPU_CMD_GET_CAPSET, new VirtioGpuGetCapset { CapsetId = info.CapsetId, CapsetVersion = info.CapsetMaxVersion }));
            Assert.Equal(24 + info.CapsetMaxSize, guest.ResponseLength);
            Assert.Contains(guest.Response.Slice(24, (int)info.CapsetMaxSize).ToArray(), value => value != 0);
        }

        Begin(guest);
        int answered = guest.Answered;
        for (int i = 0; i < 8; i++)
        {
            _ = guest.PostFence(i, fence: (ulong)i);
        }

        guest.Await(answered + 8);
        Assert.All(Enumerable.Range(0, 8), i => Assert.Equal((OK, (ulong)i), (guest.ResponseAt(i).Type, guest.ResponseAt(i).FenceId)));
        Assert.Equal(Enumerable.Range(0, 8).Select(i => guest.AnsweredHead(answered + i)).Order(), Enumerable.Range(0, 8).Select(i => guest.AnsweredHead(answered + i)));
    }

    [Fact]
    public void What_the_guest_uploads_is_shown_and_what_it_drew_comes_back()
    {
        const ulong Second = GpuGuest.PictureOffset + 0x10_0000;
        using GpuGuest guest = Make();
        Begin(guest);
        new Random(6).NextBytes(guest.Ram(GpuGuest.PictureOffset, Bytes));
        Assert.Equal(OK, guest.Attach(1, PictureTests.Scatter(guest, Bytes, 1000)));
        Assert.Equal(OK, guest.SetScanout(0, 1, R(0, 0, Width, Height)));
        Assert.Equal(OK, guest.Submit(1, Words(new CommandStream().Target(1, 1, B8G8R8X8).Clear(1, 0, 0, 1))));
        Assert.Equal(OK, guest.Transfer3D(1, 0, 0, Width, Height, isFromHost: true));
        Assert.Equal(OK, guest.Detach(1));
        Assert.Equal(OK, guest.Attach(1, Backing(Second, Bytes)));
        new Random(7).NextBytes(guest.Ram(Second, Bytes));
        Assert.Equal(OK, guest.Transfer3D(1, 0, 0, Width, Height));
        Assert.Equal(OK, guest.Flush(1, R(0, 0, Width, Height)));
        AssertShows(guest, (x, y) => PixelOf(guest, Second, x, y));

        // The first backing has the clear, wherever its pages lie.
        Assert.Equal(OK, guest.Detach(1));
        Assert.Equal(OK, guest.Attach(1, PictureTests.Scatter(guest, Bytes, 1000)));
        Assert.Equal(OK, guest.Submit(1, Words(new CommandStream().Clear(0, 1, 1, 1))));
        guest.Unmap();
        guest.Map();
        Assert.Equal(OK, guest.Transfer3D(1, 0, 0, Width, Height, isFromHost: true));
        Assert.Equal(OK, guest.Submit(1, Words(new CommandStream().Clear(1, 0, 0, 1))));
        Assert.Equal(OK, guest.Transfer3D(1, 0, 0, Width, Height));
        Assert.Equal(OK, guest.Flush(1, R(0, 0, Width, Height)));
        AssertShows(guest, (_, _) => Cyan);
    }

    [Fact]
    public void A_plain_picture_is_drawn_to_once_a_context_has_it()
    {
        using GpuGuest guest = Make();
        Assert.Equal(OK, guest.CreateContext(1));
        Assert.Equal(OK, guest.Create2D(2, Width, Height));
        Assert.Equal(OK, guest.Attach(2, Backing(GpuGuest.PictureOffset, Bytes)));
        new Random(8).NextBytes(guest.Ram(GpuGuest.PictureOffset, Bytes));
        Assert.Equal(OK, guest.Transfer(2, R(0, 0, Width, Height)));
        Assert.Equal(OK, guest.SetScanout(0, 2, R(0, 0, Width, Height)));
        Assert.Equal(OK, guest.Flush(2, R(0, 0, Width, Height)));
        Assert.Equal(OK, guest.AttachResource(1, 2));
        AssertShows(guest, (x, y) => PixelOf(guest, GpuGuest.PictureOffset, x, y));
        Assert.Equal(OK, guest.Submit(1, Words(new CommandStream().Target(1, 2, B8G8R8X8).Clear(0, 1, 1, 1))));
        Assert.Equal(OK, guest.Flush(2, R(0, 0, Width, Height)));
        AssertShows(guest, (_, _) => Cyan);
        new Random(9).NextBytes(guest.Ram(GpuGuest.PictureOffset, Bytes));
        Assert.Equal(OK, guest.Transfer(2, R(8, 8, 16, 16), offset: ((8 * Width) + 8) * 4));
        Assert.Equal(OK, guest.Flush(2, R(0, 0, Width, Height)));
        AssertShows(guest, (x, y) => x is >= 8 and < 24 && y is >= 8 and < 24 ? PixelOf(guest, GpuGuest.PictureOffset, x, y) : Cyan);
    }

    [Fact]
    public void A_cursor_is_rendered_with_its_alpha()
    {
        using GpuGuest guest = Make();
        Assert.Equal(OK, guest.CreateContext(1));
        Assert.Equal(OK, guest.Create3D(1, 64, 64, format: 1));
        Assert.Equal(OK, guest.AttachResource(1, 1));
        Assert.Equal(OK, guest.Submit(1, Words(new CommandStream().Target(1, 1, 1).Clear(1, 0, 0, 0))));
        Assert.Equal(OK, guest.UpdateCursor(0, 1, 5, 6));
        Assert.Equal(0x00ff0000u, BitConverter.ToUInt32(guest.Head.Cursor.Image!.Pixels.Span));
    }

    [Fact]
    public void After_its_death_the_screen_goes_on_and_after_a_reset_all_of_it()
    {
        using var file = new CheckpointFile(8 << 20);
        using GpuGuest first = Make();
        file.Keep(first.Function);
        Begin(first);
        new Random(10).NextBytes(first.Ram(GpuGuest.PictureOffset, Bytes));
        Assert.Equal(OK, first.Attach(1, Backing(GpuGuest.PictureOffset, Bytes)));
        Assert.Equal(OK, first.Transfer3D(1, 0, 0, Width, Height));
        Assert.Equal(OK, first.SetScanout(0, 1, R(0, 0, Width, Height)));
        Assert.Equal(OK, first.Flush(1, R(0, 0, Width, Height)));
        CheckpointFile.Kill(first.Function);

        using var second = new GpuGuest(first, renderer3D: Start);
        file.Keep(second.Function);
        Assert.True(second.Function.TryRestore(out string? why), why);
        second.Kick();
        Assert.Equal(VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID, second.Submit(1, 0));
        AssertShows(second, (x, y) => PixelOf(second, GpuGuest.PictureOffset, x, y));

        second.Start(RenderingCommands.Features);
        Assert.Equal(0UL, second.Device.VideoMemoryUsed);
        Begin(second);
        Assert.Equal(OK, second.SetScanout(0, 1, R(0, 0, Width, Height)));
        Assert.Equal(OK, second.Submit(1, Words(new CommandStream().Target(1, 1, B8G8R8X8).Clear(0, 1, 1, 1))));
        Assert.Equal(OK, second.Flush(1, R(0, 0, Width, Height)));
        AssertShows(second, (_, _) => Cyan);
    }

    private static GpuGuest Make() => new(features: RenderingCommands.Features, renderer3D: Start);

    /// <summary>The host's own renderer.</summary>
    internal static VirglRenderer Start() => VirglRenderer.TryCreate(new VirglOptions(), NullLogger.Instance, out string? missing) ?? throw new ArgumentException(missing);

    // A context 1 that has a picture, resource 1.
    private static void Begin(GpuGuest guest)
    {
        Assert.Equal(OK, guest.CreateContext(1));
        Assert.Equal(OK, guest.Create3D(1, Width, Height));
        Assert.Equal(OK, guest.AttachResource(1, 1));
    }

    private static uint[] Words(CommandStream stream) => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, uint>(stream.Bytes).ToArray();

    private static uint PixelOf(GpuGuest guest, ulong offset, int x, int y) =>
        BitConverter.ToUInt32(guest.Ram(offset + (ulong)(((y * Width) + x) * 4), 4)) & 0xffffff;

    private static void AssertShows(GpuGuest guest, Func<int, int, uint> expected)
    {
        Picture shown = guest.Head.Capture(false)!;
        Assert.Equal((Width, Height), (shown.Width, shown.Height));
        for (int y = 0; y < Height; y++)
        {
            for (int x = 0; x < Width; x++)
            {
                uint pixel = BitConverter.ToUInt32(shown.Pixels.Span[(((y * Width) + x) * 4)..]) & 0xffffff;
                Assert.True(expected(x, y) == pixel, $"{pixel:x6} at {x},{y} and not {expected(x, y):x6}");
            }
        }
    }
}
