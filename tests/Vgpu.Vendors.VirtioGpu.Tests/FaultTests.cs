// Everything that a guest has got wrong before, each with the exact response, and life after it.
using System.Runtime.InteropServices;
using Vgpu.Testing;
using static Vgpu.Vendors.VirtioGpu.Tests.GpuCommands;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu.Tests;

public sealed class FaultTests
{
    private const uint Unspec = VIRTIO_GPU_RESP_ERR_UNSPEC;
    private const uint OutOfMemory = VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
    private const uint ScanoutId = VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
    private const uint ResourceId = VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
    private const uint Parameter = VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
    private const uint Max = uint.MaxValue;

    // Resource 1: 64x64, backed, on head 0. Resource 2: 64x64 without backing. Resource 3: a guest blob of 64x64, on head 1.
    // Resource 4: 32x32, backed.
    private static readonly Dictionary<string, (uint Response, Func<GpuGuest, uint> Command)> _faults = new()
    {
        ["create with id 0"] = (ResourceId, g => g.Create2D(0, 8, 8)),
        ["create with an id in use"] = (ResourceId, g => g.Create2D(1, 8, 8)),
        ["create with a blob's id"] = (ResourceId, g => g.Create2D(3, 8, 8)),
        ["create with format 0"] = (Parameter, g => g.Create2D(9, 8, 8, 0)),
        ["create with format 5"] = (Parameter, g => g.Create2D(9, 8, 8, 5)),
        ["create without width"] = (Parameter, g => g.Create2D(9, 0, 8)),
        ["create without height"] = (Parameter, g => g.Create2D(9, 8, 0)),
        ["create with width x 4 above 2^32"] = (OutOfMemory, g => g.Create2D(9, 0x4000_0001, 1)),
        ["create with a product of 2^64"] = (OutOfMemory, g => g.Create2D(9, 0x8000_0000, 0x8000_0000)),
        ["create with a product that wraps to 0"] = (OutOfMemory, g => g.Create2D(9, 0x1000_0000, 0x4000_0000)),
        ["create with the largest sides"] = (OutOfMemory, g => g.Create2D(9, Max, Max)),
        ["create above the quota"] = (OutOfMemory, g => g.Create2D(9, 5000, 5000)),
        ["unref of nothing"] = (ResourceId, g => g.Unref(9)),
        ["unref of id 0"] = (ResourceId, g => g.Unref(0)),
        ["unref twice"] = (ResourceId, g => g.Unref(4) == OK ? g.Unref(4) : 0),

        ["attach to nothing"] = (ResourceId, g => g.Attach(9, Backing(0, 4))),
        ["attach twice"] = (Unspec, g => g.Attach(1, Backing(GpuGuest.PictureOffset, 4))),
        ["attach no entries"] = (Parameter, g => g.Attach(2)),
        ["attach more entries than there are"] = (Parameter, g => g.AttachCounted(2, 2, Backing(GpuGuest.PictureOffset, 4))),
        ["attach fewer entries than there are"] = (Parameter, g => g.AttachCounted(2, 1, [.. Backing(0, 4), .. Backing(8, 4)])),
        ["attach 2^32 - 1 entries"] = (Parameter, g => g.AttachCounted(2, Max, Backing(0, 4))),
        ["attach 2^28 entries, whose bytes wrap to 0"] = (Parameter, g => g.AttachCounted(2, 0x1000_0000)),
        ["attach an entry without length"] = (Parameter, g => g.Attach(2, Backing(0, 0))),
        ["attach an entry that wraps"] = (Parameter, g => g.Attach(2, new VirtioGpuMemEntry { Addr = ulong.MaxValue - 3, Length = 8 })),
        ["attach an entry that is not mapped"] = (Unspec, g => g.Attach(2, new VirtioGpuMemEntry { Addr = 0x10_0000, Length = 4096 })),
        ["attach an entry past the end of memory"] = (Unspec, g => g.Attach(2, Backing((2 * FakeGuest.PieceSize) - 4, 8))),
        ["detach from nothing"] = (ResourceId, g => g.Detach(9)),
        ["detach without backing"] = (Unspec, g => g.Detach(2)),

        ["transfer to nothing"] = (ResourceId, g => g.Transfer(9, R(0, 0, 1, 1))),
        ["transfer without backing"] = (Unspec, g => g.Transfer(2, R(0, 0, 1, 1))),
        ["transfer after detach"] = (Unspec, g => g.Detach(1) == OK ? g.Transfer(1, R(0, 0, 64, 64)) : 0),
        ["transfer after unref"] = (ResourceId, g => g.Unref(1) == OK ? g.Transfer(1, R(0, 0, 64, 64)) : 0),
        ["transfer too wide"] = (Parameter, g => g.Transfer(1, R(0, 0, 65, 1))),
        ["transfer too far right"] = (Parameter, g => g.Transfer(1, R(64, 0, 1, 1))),
        ["transfer whose x + w wraps"] = (Parameter, g => g.Transfer(1, R(Max, 0, 2, 1))),
        ["transfer whose y + h wraps"] = (Parameter, g => g.Transfer(1, R(0, 2, 1, Max - 1))),
        ["transfer past the backing"] = (Parameter, g => g.Transfer(1, R(0, 0, 64, 64), 4)),
        ["transfer whose offset wraps"] = (Parameter, g => g.Transfer(1, R(0, 0, 64, 64), ulong.MaxValue - 255)),

        ["flush of nothing"] = (ResourceId, g => g.Flush(9, R(0, 0, 1, 1))),
        ["flush after unref"] = (ResourceId, g => g.Unref(1) == OK ? g.Flush(1, R(0, 0, 1, 1)) : 0),
        ["flush too high"] = (Parameter, g => g.Flush(1, R(0, 0, 1, 65))),
        ["flush whose x + w wraps"] = (Parameter, g => g.Flush(1, R(1, 0, Max, 1))),
        ["flush of a blob whose backing is gone"] = (Unspec, g => g.Detach(3) == OK ? g.Flush(3, R(0, 0, 64, 64)) : 0),

        ["scanout out of range"] = (ScanoutId, g => g.SetScanout(2, 1, R(0, 0, 64, 64))),
        ["scanout 2^32 - 1"] = (ScanoutId, g => g.SetScanout(Max, 0, default)),
        ["scanout of nothing"] = (ResourceId, g => g.SetScanout(0, 9, R(0, 0, 64, 64))),
        ["scanout of a blob as if it had a format"] = (ResourceId, g => g.SetScanout(0, 3, R(0, 0, 64, 64))),
        ["scanout of an empty rectangle"] = (Parameter, g => g.SetScanout(0, 1, R(0, 0, 0, 64))),
        ["scanout beyond the resource"] = (Parameter, g => g.SetScanout(0, 1, R(1, 0, 64, 64))),
        ["scanout whose x + w wraps"] = (Parameter, g => g.SetScanout(0, 1, R(Max - 63, 0, 64, 64))),

        ["edid of no scanout"] = (ScanoutId, g => g.GetEdid(2)),
        ["uuid of nothing"] = (ResourceId, g => g.AssignUuid(9)),

        ["blob with id 0"] = (ResourceId, g => g.CreateBlob(0, 4096, Backing(0, 4096))),
        ["blob with an id in use"] = (ResourceId, g => g.CreateBlob(1, 4096, Backing(0, 4096))),
        ["blob of no memory"] = (Parameter, g => g.CreateBlob(9, 4096, Backing(0, 4096), mem: 0)),
        ["blob of host memory"] = (Parameter, g => g.CreateBlob(9, 4096, Backing(0, 4096), mem: 2)),
        ["blob of both memories"] = (Parameter, g => g.CreateBlob(9, 4096, Backing(0, 4096), mem: 3)),
        ["blob across devices"] = (Parameter, g => g.CreateBlob(9, 4096, Backing(0, 4096), flags: 4)),
        ["blob of no size"] = (Parameter, g => g.CreateBlob(9, 0, Backing(0, 4096))),
        ["blob larger than its backing"] = (Parameter, g => g.CreateBlob(9, 4097, Backing(0, 4096))),
        ["blob with fewer entries than it says"] = (Parameter, g => g.CreateBlob(9, 4096, Backing(0, 4096), count: 2)),
        ["blob without entries"] = (Parameter, g => g.CreateBlob(9, 4096, [])),
        ["blob of memory that is not mapped"] = (Unspec, g => g.CreateBlob(9, 4096, [new() { Addr = 0, Length = 4096 }])),
        ["blob scanout out of range"] = (ScanoutId, g => g.SetScanoutBlob(2, 3, R(0, 0, 64, 64), 64, 64, 256)),
        ["blob scanout of nothing"] = (ResourceId, g => g.SetScanoutBlob(0, 9, R(0, 0, 64, 64), 64, 64, 256)),
        ["blob scanout of a 2D resource"] = (ResourceId, g => g.SetScanoutBlob(0, 1, R(0, 0, 64, 64), 64, 64, 256)),
        ["blob scanout in no format"] = (Parameter, g => g.SetScanoutBlob(0, 3, R(0, 0, 64, 64), 64, 64, 256, format: 7)),
        ["blob scanout with a short stride"] = (Parameter, g => g.SetScanoutBlob(0, 3, R(0, 0, 64, 64), 64, 64, 252)),
        ["blob scanout with a huge stride"] = (Parameter, g => g.SetScanoutBlob(0, 3, R(0, 0, 64, 64), 64, 64, Max)),
        ["blob scanout past the blob"] = (Parameter, g => g.SetScanoutBlob(0, 3, R(0, 0, 64, 64), 64, 64, 256, offset: 4)),
        ["blob scanout with the largest offset"] = (Parameter, g => g.SetScanoutBlob(0, 3, R(0, 0, 64, 64), 64, 64, 256, offset: Max)),
        ["blob scanout outside its picture"] = (Parameter, g => g.SetScanoutBlob(0, 3, R(1, 0, 64, 64), 64, 64, 256)),
        ["blob scanout of the largest picture"] = (Parameter, g => g.SetScanoutBlob(0, 3, R(0, 0, Max, Max), Max, Max, Max)),
        ["blob scanout of an empty rectangle"] = (Parameter, g => g.SetScanoutBlob(0, 3, R(0, 0, 0, 0), 64, 64, 256)),

        ["cursor on no scanout"] = (ScanoutId, g => g.UpdateCursor(2, 1, 0, 0)),
        ["cursor moved on no scanout"] = (ScanoutId, g => g.MoveCursor(Max, 0, 0)),
        ["cursor of nothing"] = (ResourceId, g => g.UpdateCursor(0, 9, 0, 0)),
        ["cursor of another size"] = (Parameter, g => g.UpdateCursor(0, 4, 0, 0)),
        ["cursor of a blob whose backing is gone"] = (Unspec, g => g.Detach(3) == OK ? g.UpdateCursor(0, 3, 0, 0) : 0),
        ["control command on the cursor queue"] = (Unspec, g => g.SendCursor(VIRTIO_GPU_CMD_GET_DISPLAY_INFO, default)),
        ["cursor command on the control queue"] = (Unspec, g => g.Send(VIRTIO_GPU_CMD_UPDATE_CURSOR, default(VirtioGpuUpdateCursor))),

        ["capset info"] = (Parameter, g => g.Send(VIRTIO_GPU_CMD_GET_CAPSET_INFO, default(VirtioGpuResourceOnly))),
        ["capset"] = (Unspec, g => g.Send(VIRTIO_GPU_CMD_GET_CAPSET, default(VirtioGpuResourceOnly))),
        ["context"] = (Unspec, g => g.Send(0x0200, default(VirtioGpuSetScanoutBlob))),
        ["submit"] = (Unspec, g => g.Send(0x0207, default(VirtioGpuSetScanoutBlob))),
        ["map blob"] = (Unspec, g => g.Send(0x0208, default(VirtioGpuSetScanoutBlob))),
        ["unmap blob"] = (Unspec, g => g.Send(0x0209, default(VirtioGpuSetScanoutBlob))),
        ["command 0"] = (Unspec, g => g.Send(0, default(VirtioGpuSetScanoutBlob))),
        ["a response as a command"] = (Unspec, g => g.Send(VIRTIO_GPU_RESP_OK_NODATA, default(VirtioGpuSetScanoutBlob))),
        ["a request of nothing"] = (Unspec, g => g.SendBytes([])),
        ["a request shorter than a header"] = (Unspec, g => g.SendBytes(new byte[23])),
    };

    // Each command that has a body, and the length of it.
    private static readonly (uint Command, int Length)[] _bodies =
    [
        (VIRTIO_GPU_CMD_RESOURCE_CREATE_2D, 40), (VIRTIO_GPU_CMD_RESOURCE_UNREF, 32), (VIRTIO_GPU_CMD_SET_SCANOUT, 48),
        (VIRTIO_GPU_CMD_RESOURCE_FLUSH, 48), (VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, 56), (VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING, 32),
        (VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING, 32), (VIRTIO_GPU_CMD_GET_EDID, 32), (VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID, 32),
        (VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB, 56), (VIRTIO_GPU_CMD_SET_SCANOUT_BLOB, 96),
    ];

    public static TheoryData<string> Names => [.. _faults.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_fault_gets_its_response_and_harms_nobody(string name)
    {
        (uint response, Func<GpuGuest, uint> command) = _faults[name];
        using var other = new GpuGuest();
        using GpuGuest guest = Prepare();
        ulong used = guest.Device.VideoMemoryUsed;
        int count = guest.Device.ResourceCount;
        Assert.Equal(response, command(guest));
        Assert.Equal(24u, guest.ResponseLength);
        Assert.True(guest.Device.VideoMemoryUsed <= used && guest.Device.ResourceCount <= count);

        AssertWorks(guest, 77);
        AssertWorks(other, 77);
    }

    [Fact]
    public void A_request_cut_short_is_an_invalid_parameter()
    {
        using GpuGuest guest = Prepare();
        foreach ((uint command, int length) in _bodies)
        {
            for (int cut = 24; cut < length; cut++)
            {
                var request = new byte[cut];
                MemoryMarshal.Write(request, in command);
                Assert.Equal(Parameter, guest.SendBytes(request));
            }
        }

        foreach (uint command in (uint[])[VIRTIO_GPU_CMD_UPDATE_CURSOR, VIRTIO_GPU_CMD_MOVE_CURSOR])
        {
            var request = new byte[55];
            MemoryMarshal.Write(request, in command);
            Assert.Equal(Parameter, guest.SendBytes(request, 24, CURSORQ));
        }

        AssertWorks(guest, 77);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(4u)]
    [InlineData(23u)]
    [InlineData(24u)]
    [InlineData(407u)]
    public void A_response_is_cut_at_the_end_of_the_drivers_buffer(uint room)
    {
        using GpuGuest guest = Prepare();
        _ = guest.Send(VIRTIO_GPU_CMD_GET_DISPLAY_INFO, default(VirtioGpuCtrlHdr), default, room);
        Assert.Equal(room, guest.ResponseLength);
        Assert.Equal(-1, guest.Response[(int)room..].IndexOfAnyExcept((byte)0xee));
        AssertWorks(guest, 77);
    }

    [Fact]
    public void Commands_of_features_that_were_not_negotiated_are_unknown()
    {
        using var guest = new GpuGuest(features: 0);
        Assert.Equal(Unspec, guest.GetEdid(0));
        Assert.Equal(Unspec, guest.CreateBlob(1, 4096, Backing(GpuGuest.PictureOffset, 4096)));
        Assert.Equal(OK, guest.Create2D(1, 64, 64));
        Assert.Equal(Unspec, guest.AssignUuid(1));
        Assert.Equal(Unspec, guest.SetScanoutBlob(0, 1, R(0, 0, 64, 64), 64, 64, 256));
        AssertWorks(guest, 77);
    }

    private static GpuGuest Prepare()
    {
        var guest = new GpuGuest(heads: 2);
        Assert.Equal(OK, guest.Create2D(1, 64, 64));
        Assert.Equal(OK, guest.Attach(1, Backing(GpuGuest.PictureOffset, 64 * 64 * 4)));
        Assert.Equal(OK, guest.SetScanout(0, 1, R(0, 0, 64, 64)));
        Assert.Equal(OK, guest.Create2D(2, 64, 64));
        Assert.Equal(OK, guest.CreateBlob(3, 64 * 64 * 4, Backing(GpuGuest.PictureOffset, 64 * 64 * 4)));
        Assert.Equal(OK, guest.SetScanoutBlob(1, 3, R(0, 0, 64, 64), 64, 64, 256));
        Assert.Equal(OK, guest.Create2D(4, 32, 32));
        Assert.Equal(OK, guest.Attach(4, Backing(GpuGuest.PictureOffset, 32 * 32 * 4)));
        return guest;
    }

    private static void AssertWorks(GpuGuest guest, uint id)
    {
        const ulong place = GpuGuest.PictureOffset + 0x10_0000;
        Assert.Equal(OK, guest.Create2D(id, 4, 4));
        Assert.Equal(OK, guest.Attach(id, Backing(place, 64)));
        guest.Ram(place, 64).Fill(0x5a);
        Assert.Equal(OK, guest.SetScanout(0, id, R(0, 0, 4, 4)));
        Assert.Equal(OK, guest.Transfer(id, R(0, 0, 4, 4)));
        Assert.Equal(OK, guest.Flush(id, R(0, 0, 4, 4)));
        PictureTests.AssertSameColours(guest.Ram(place, 64), guest.Head.Capture(false)!.Pixels.Span);
        Assert.Equal(OK, guest.Unref(id));
    }
}
