// A virtio GPU that moves: its driver and its viewers see nothing of it, and nothing but such a GPU's state is taken.
using Vgpu.Linux;
using Vgpu.Pci;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Vfio.Migration;
using static Vgpu.Vendors.VirtioGpu.Tests.GpuCommands;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu.Tests;

public sealed class StateTests
{
    internal const int Side = 64;
    private const int Bytes = Side * Side * 4;
    private const ulong BlobOffset = GpuGuest.PictureOffset + 0x10_0000;
    private const ulong CursorOffset = GpuGuest.PictureOffset + 0x20_0000;

    [Fact]
    public void Everything_that_a_driver_made_moves_and_both_look_the_same()
    {
        using var from = new GpuGuest(heads: 2);
        Draw(from);
        byte[] uuid = Uuid(from, 1);
        byte[] state = Move.Save(from.Function);
        using var to = new GpuGuest(from, heads: 2);
        Assert.Equal(Errno.None, Move.Load(to.Function, state));
        Assert.Equal(state, Move.Save(to.Function));
        Move.Run(to.Function);

        AssertSameScreens(from, to);
        Assert.Equal((from.Device.VideoMemoryUsed, from.Device.ResourceCount), (to.Device.VideoMemoryUsed, to.Device.ResourceCount));
        Assert.Equal(uuid, Uuid(to, 1));
        Assert.NotEqual(uuid, Uuid(to, 2));
        Assert.Equal(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, to.GetDisplayInfo());
        VirtioGpuDisplayOne one = to.ResponseAs<VirtioGpuRespDisplayInfo>().Pmodes[0];
        Assert.Equal((1280u, 720u, 1u), (one.R.Width, one.R.Height, one.Enabled));
        Assert.True(from.Head.Edid.Span.SequenceEqual(to.Head.Edid.Span));
        Assert.Equal(0u, to.ReadConfig(0));
        Assert.Equal(0UL, to.ConfigInterrupt.Take());
    }

    [Fact]
    public void The_driver_goes_on_with_what_it_made()
    {
        using var from = new GpuGuest(heads: 2);
        Draw(from);
        byte[] state = Move.Save(from.Function);
        using var to = new GpuGuest(from, heads: 2);
        Assert.Equal(Errno.None, Move.Load(to.Function, state));
        Move.Run(to.Function);

        // The guest draws on: both pictures come from its memory by way of the backings that were moved.
        new Random(5).NextBytes(to.Ram(GpuGuest.PictureOffset, Bytes));
        new Random(6).NextBytes(to.Ram(BlobOffset, Bytes));
        Assert.Equal(OK, to.Transfer(1, R(0, 0, Side, Side)));
        Assert.Equal(OK, to.Flush(1, R(0, 0, Side, Side)));
        Assert.Equal(OK, to.Flush(2, R(0, 0, Side, Side)));
        AssertShowsRam(to, 0, GpuGuest.PictureOffset, new Rect(8, 4, 40, 50));
        AssertShowsRam(to, 1, BlobOffset, new Rect(0, 0, Side, Side));

        Assert.Equal(OK, to.MoveCursor(0, 30, 31));
        Assert.Equal((33, 38), (to.Head.Cursor.X, to.Head.Cursor.Y));
        Assert.Equal(VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID, to.Create2D(1, 4, 4));
        for (uint id = 1; id <= 4; id++)
        {
            Assert.Equal(OK, to.Unref(id));
        }

        Assert.Equal((0UL, 0), (to.Device.VideoMemoryUsed, to.Device.ResourceCount));
        Assert.All(to.Screen.Heads, head => Assert.Null(head.Capture(false)));
    }

    [Fact]
    public void A_command_that_came_while_stopped_is_answered_once_and_by_the_other()
    {
        using var from = new GpuGuest(heads: 2);
        Draw(from);
        Assert.Equal(Errno.None, from.Function.Migration.SetDeviceState(VfioDeviceState.VFIO_DEVICE_STATE_STOP));
        int answered = from.Answered;
        new Random(3).NextBytes(from.Ram(GpuGuest.PictureOffset, Bytes));
        from.Post(VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, new VirtioGpuTransferToHost2D { ResourceId = 1, R = R(0, 0, Side, Side) });
        byte[] state = Move.Save(from.Function);
        using var to = new GpuGuest(from, heads: 2);
        Assert.Equal(Errno.None, Move.Load(to.Function, state));
        Assert.Equal(answered, to.Answered);
        Move.Run(to.Function);
        to.Await(answered + 1);
        Assert.Equal(OK, to.Flush(1, R(0, 0, Side, Side)));
        Assert.Equal(answered + 2, to.Answered);
        AssertShowsRam(to, 0, GpuGuest.PictureOffset, new Rect(8, 4, 40, 50));
    }

    [Fact]
    public void A_monitor_that_changes_while_stopped_is_told_of_where_the_device_goes_on()
    {
        using var from = new GpuGuest();
        Assert.Equal(Errno.None, from.Function.Migration.SetDeviceState(VfioDeviceState.VFIO_DEVICE_STATE_STOP));
        from.Head.RequestMode(new DisplayMode(1600, 900));
        Assert.Equal(0u, from.ReadConfig(0));
        byte[] state = Move.Save(from.Function);
        using var to = new GpuGuest(from);
        Assert.Equal(Errno.None, Move.Load(to.Function, state));
        Assert.Equal((0u, 0UL), (to.ReadConfig(0), to.ConfigInterrupt.Take()));
        Move.Run(to.Function);
        Assert.Equal((VIRTIO_GPU_EVENT_DISPLAY, 1UL), (to.ReadConfig(0), to.ConfigInterrupt.Take()));
        Assert.Equal(new DisplayMode(1600, 900), to.Head.PreferredMode);
        Move.Run(from.Function);
        Assert.Equal((VIRTIO_GPU_EVENT_DISPLAY, 1UL), (from.ReadConfig(0), from.ConfigInterrupt.Take()));
    }

    [Fact]
    public void A_blob_that_nothing_was_flushed_of_shows_all_at_the_first_flush()
    {
        using var from = new GpuGuest();
        from.Ram(BlobOffset, Bytes).Fill(0x33);
        Assert.Equal(OK, from.CreateBlob(2, Bytes, Backing(BlobOffset, Bytes)));
        Assert.Equal(OK, from.SetScanoutBlob(0, 2, R(0, 0, Side, Side), Side, Side, Side * 4));
        byte[] state = Move.Save(from.Function);
        using var to = new GpuGuest(from);
        Assert.Equal(Errno.None, Move.Load(to.Function, state));
        Move.Run(to.Function);
        Assert.Equal(OK, to.Flush(2, R(3, 3, 1, 1)));
        AssertShowsRam(to, 0, BlobOffset, new Rect(0, 0, Side, Side));
    }

    [Fact]
    public void A_state_is_taken_by_the_same_device_only_and_where_it_fits()
    {
        using var from = new GpuGuest(heads: 2);
        Draw(from);
        byte[] state = Move.Save(from.Function);
        using (var one = new GpuGuest(from))
        using (var three = new GpuGuest(from, heads: 3))
        using (var noBlobs = new GpuGuest(from, heads: 2, blobs: false))
        using (var intx = new GpuGuest(from, heads: 2, interrupts: PciInterruptMode.Intx))
        using (var small = new GpuGuest(from, heads: 2, videoMemory: from.Device.VideoMemoryUsed - 1))
        {
            foreach (GpuGuest other in new[] { one, three, noBlobs, intx, small })
            {
                Move.AssertRefused(other.Function, state);
                AssertEmpty(other);
            }
        }

        using var exact = new GpuGuest(from, heads: 2, videoMemory: from.Device.VideoMemoryUsed);
        Assert.Equal(Errno.None, Move.Load(exact.Function, state));
    }

    [Fact]
    public void A_full_quota_in_the_smallest_pieces_fits_the_length_that_is_promised()
    {
        using var from = new GpuGuest(heads: 16, videoMemory: 1 << 20);
        var entries = new VirtioGpuMemEntry[6_000];
        for (int i = 0; i < entries.Length; i++)
        {
            entries[i] = new VirtioGpuMemEntry { Addr = GpuGuest.RamIova + GpuGuest.PictureOffset + (ulong)(i % 4096 * 16), Length = 1 };
        }

        Assert.Equal(OK, from.Create2D(1, 1, 1));
        Assert.Equal(OK, from.Attach(1, entries));
        uint id = 1;
        while (from.Create2D(id + 1, 8, 8) == OK)
        {
            id++;
        }

        // Room for a cursor's picture, which is not counted once it is one.
        for (uint gone = 2; gone <= 6; gone++)
        {
            Assert.Equal(OK, from.Unref(gone));
        }

        Assert.Equal(OK, from.Create2D(300, Side, Side));
        for (uint head = 0; head < 16; head++)
        {
            Assert.Equal(OK, from.UpdateCursor(head, 300, 1, 1));
        }

        byte[] state = Move.Save(from.Function);
        using var to = new GpuGuest(from, heads: 16, videoMemory: 1 << 20);
        Assert.Equal(Errno.None, Move.Load(to.Function, state));
        Assert.Equal(from.Device.VideoMemoryUsed, to.Device.VideoMemoryUsed);
        Assert.InRange(((IVfioMigratable)from.Device).MaxStateLength, 1 << 20, (1 << 20) + (16 * 17_000) + 1000);
    }

    [Fact]
    public void A_damaged_state_is_refused_or_taken_as_it_is_and_leaves_nothing()
    {
        using var from = new GpuGuest();
        Assert.Equal(OK, from.Create2D(1, 8, 8));
        Assert.Equal(OK, from.Attach(1, [.. Backing(GpuGuest.PictureOffset, 100), .. Backing(GpuGuest.PictureOffset + 200, 156)]));
        Assert.Equal(OK, from.CreateBlob(2, 1024, Backing(BlobOffset, 1024)));
        Assert.Equal(OK, from.SetScanoutBlob(0, 2, R(1, 1, 4, 4), 8, 8, 64));
        Assert.Equal(OK, from.Create2D(3, 4, 4));
        byte[] state = Move.Save(from.Function);
        using var to = new GpuGuest(from, videoMemory: 1 << 20);
        int descriptors = OwnDescriptors.Count("/memfd:vgpu");
        Move.AssertTruncatedRefused(to.Function, state);
        int refused = Move.FlipBits(to.Function, state, check: taken =>
        {
            Assert.InRange(to.Device.VideoMemoryUsed, 0UL, 1UL << 20);
            if (!taken)
            {
                AssertEmpty(to);
            }
        });
        Assert.InRange(refused, 500, state.Length * 8);
        Assert.Equal(descriptors, OwnDescriptors.Count("/memfd:vgpu"));
        Assert.Equal(Errno.None, Move.Load(to.Function, state));
        Move.Run(to.Function);
        Assert.Equal(OK, to.Flush(2, R(0, 0, 8, 8)));
    }

    // Two heads: a part of a resource with a cursor over it, and a blob.
    internal static void Draw(GpuGuest guest)
    {
        guest.Head.RequestMode(new DisplayMode(1280, 720));
        guest.WriteConfig(1, VIRTIO_GPU_EVENT_DISPLAY);
        _ = guest.ConfigInterrupt.Take();
        new Random(1).NextBytes(guest.Ram(GpuGuest.PictureOffset, Bytes));
        new Random(2).NextBytes(guest.Ram(BlobOffset, Bytes));
        new Random(4).NextBytes(guest.Ram(CursorOffset, Bytes));
        Assert.Equal(OK, guest.Create2D(1, Side, Side));
        Assert.Equal(OK, guest.Attach(1, [.. Backing(GpuGuest.PictureOffset, 8192), .. Backing(GpuGuest.PictureOffset + 8192, Bytes - 8192)]));
        Assert.Equal(OK, guest.Transfer(1, R(0, 0, Side, Side)));
        Assert.Equal(OK, guest.SetScanout(0, 1, R(8, 4, 40, 50)));
        Assert.Equal(OK, guest.Flush(1, R(0, 0, Side, Side)));
        Assert.Equal(OK, guest.CreateBlob(2, Bytes, Backing(BlobOffset, Bytes)));
        Assert.Equal(OK, guest.SetScanoutBlob(1, 2, R(0, 0, Side, Side), Side, Side, Side * 4));
        Assert.Equal(OK, guest.Flush(2, R(0, 0, Side, Side)));
        Assert.Equal(OK, guest.Create2D(3, Side, Side, 1));
        Assert.Equal(OK, guest.Attach(3, Backing(CursorOffset, Bytes)));
        Assert.Equal(OK, guest.Transfer(3, R(0, 0, Side, Side)));
        Assert.Equal(OK, guest.UpdateCursor(0, 3, 10, 12, hotX: 3, hotY: 7));
        Assert.Equal(OK, guest.Detach(3));
        Assert.Equal(OK, guest.Create2D(4, 1000, 300));

        // What is not flushed stays out of the picture on both sides.
        guest.Ram(BlobOffset, 256).Clear();
    }

    internal static byte[] Uuid(GpuGuest guest, uint id)
    {
        Assert.Equal(VIRTIO_GPU_RESP_OK_RESOURCE_UUID, guest.AssignUuid(id));
        return guest.Response.Slice(24, 16).ToArray();
    }

    internal static void AssertSameScreens(GpuGuest from, GpuGuest to)
    {
        for (int i = 0; i < from.Screen.Heads.Count; i++)
        {
            Picture expected = from.Screen.Heads[i].Capture(withCursor: true)!;
            Picture actual = to.Screen.Heads[i].Capture(withCursor: true)!;
            Assert.Equal((expected.Width, expected.Height), (actual.Width, actual.Height));
            Assert.True(expected.Pixels.Span.SequenceEqual(actual.Pixels.Span), $"head {i}");
            HeadState was = from.Screen.Heads[i].State;
            Assert.Equal(was with { Generation = 0 }, to.Screen.Heads[i].State with { Generation = 0 });
        }
    }

    internal static void AssertShowsRam(GpuGuest guest, int head, ulong offset, Rect rect)
    {
        ReadOnlySpan<byte> pixels = guest.Screen.Heads[head].Capture(withCursor: false)!.Pixels.Span;
        for (int y = 0; y < rect.Height; y++)
        {
            ulong row = offset + (ulong)((((rect.Y + y) * Side) + rect.X) * 4);
            PictureTests.AssertSameColours(guest.Ram(row, rect.Width * 4), pixels.Slice(y * rect.Width * 4, rect.Width * 4));
        }
    }

    private static void AssertEmpty(GpuGuest guest)
    {
        Assert.Equal((0UL, 0), (guest.Device.VideoMemoryUsed, guest.Device.ResourceCount));
        Assert.All(guest.Screen.Heads, head => Assert.Equal((0, 0, false), (head.State.Width, head.State.Height, head.State.HasCursor)));
    }
}
