using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Tests;

// What a device looks like to its client, and that accesses reach it.
public sealed class DeviceTests : IDisposable
{
    private readonly ServedDevice _served = new();
    private readonly VfioUserClient _client;

    public DeviceTests() => _client = _served.Negotiated();

    private FakeDevice Device => _served.Device;

    public void Dispose()
    {
        _client.Dispose();
        _served.Dispose();
    }

    [Theory]
    [InlineData(16)]
    [InlineData(24)]
    [InlineData(32)]
    public void Device_info_for_any_argsz_that_holds_it(uint argsz)
    {
        byte[] payload = [.. Wire.Bytes(new DeviceInfo { Argsz = argsz }), .. new byte[argsz - 16]];
        byte[] reply = _client.Request(VfioUserCommand.VFIO_USER_DEVICE_GET_INFO, payload).ToArray();
        Assert.Equal(Wire.Bytes(new DeviceInfo { Argsz = 16, Flags = Device.Flags, RegionCount = 9, IrqCount = 5 }), reply);
    }

    [Fact]
    public void Region_info_too_short_for_its_capabilities_says_where_they_are_and_brings_no_file()
    {
        byte[] query = Wire.Bytes(new RegionInfo { Argsz = 32 + 47, Index = FakeDevice.Sparse });
        byte[] reply = _client.Request(VfioUserCommand.VFIO_USER_DEVICE_GET_REGION_INFO, query).ToArray();
        Assert.Equal(
            Wire.Bytes(new RegionInfo
            {
                Argsz = 32 + 48,
                Flags = (VfioRegionFlags)0xf,
                Index = FakeDevice.Sparse,
                CapOffset = 32,
                Size = FakeDevice.FramebufferSize,
            }),
            reply);
        Assert.Null(_client.TakeDescriptor());
    }

    [Fact]
    public void Region_info_in_full_brings_capabilities_and_file()
    {
        VfioUserRegion region = _client.GetRegionInfo(FakeDevice.Sparse);
        Assert.Equal([new VfioSparseArea(0x1000, 0x2000), new VfioSparseArea(0x8000, 0x1000)], region.SparseAreas);
        using FileDescriptor file = Assert.IsType<FileDescriptor>(region.File);
        Assert.Equal(Device.Regions[FakeDevice.Sparse].File!.Inspect().Identity, file.Inspect().Identity);
    }

    [Fact]
    public void A_region_past_the_standard_ones_says_what_it_is_and_whether_its_MSIX_table_may_be_mapped()
    {
        VfioUserRegion region = _client.GetRegionInfo(FakeDevice.Framebuffer);
        region.File?.Dispose();
        Assert.Equal((new VfioRegionType(0x8000_10de, 3), true, 0), (region.Type, region.IsMsixMappable, region.SparseAreas.Count));

        byte[] query = Wire.Bytes(new RegionInfo { Argsz = 56, Index = FakeDevice.Framebuffer });
        byte[] capabilities = _client.Request(VfioUserCommand.VFIO_USER_DEVICE_GET_REGION_INFO, query)[32..].ToArray();
        Assert.Equal([2, 0, 1, 0, 48, 0, 0, 0, 0xde, 0x10, 0, 0x80, 3, 0, 0, 0, 3, 0, 1, 0, 0, 0, 0, 0], capabilities);
    }

    [Fact]
    public void A_file_travels_with_its_own_reply()
    {
        // Three requests in one send, so that the server answers them together where it can.
        _client.SendRaw(
        [
            .. Wire.ReadMessage(1, 0, 0, 4),
            .. Wire.Message(2, VfioUserCommand.VFIO_USER_DEVICE_GET_REGION_INFO, Wire.Bytes(new RegionInfo { Argsz = 56, Index = FakeDevice.Framebuffer })),
            .. Wire.ReadMessage(3, 0, 0, 4),
        ]);
        for (int id = 1; id <= 3; id++)
        {
            _ = _client.Receive(out VfioUserHeader header);
            Assert.Equal(id, header.MessageId);
            using FileDescriptor? file = _client.TakeDescriptor();
            Assert.Equal(id == 2, file is not null);
        }
    }

    [Fact]
    public void Regions_without_memory_and_absent_ones_are_described()
    {
        VfioUserRegion registers = _client.GetRegionInfo(FakeDevice.Registers);
        Assert.Equal((VfioRegionFlags.VFIO_REGION_INFO_FLAG_READ | VfioRegionFlags.VFIO_REGION_INFO_FLAG_WRITE, 4096ul), (registers.Flags, registers.Size));
        VfioUserRegion absent = _client.GetRegionInfo(FakeDevice.Absent);
        Assert.Equal((VfioRegionFlags.None, 0ul), (absent.Flags, absent.Size));
        Assert.Null(registers.File);
    }

    [Fact]
    public void Regions_have_no_io_descriptors()
    {
        byte[] query = Wire.Bytes(new RegionIoFds { Argsz = 4096, Index = 7 });
        byte[] reply = _client.Request(VfioUserCommand.VFIO_USER_DEVICE_GET_REGION_IO_FDS, query).ToArray();
        Assert.Equal(Wire.Bytes(new RegionIoFds { Argsz = 16, Index = 7 }), reply);
    }

    [Fact]
    public void Irq_info()
    {
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(Device.Irqs[i], _client.GetIrqInfo(i));
        }
    }

    [Fact]
    public void Writes_are_read_back_and_counted()
    {
        _client.RegionWrite(0, 8, 0x11223344u);
        _client.RegionWritePosted(0, 4088, [1, 2, 3, 4, 5, 6, 7, 8]);
        Assert.Equal(0x11223344u, _client.RegionRead<uint>(0, 8));
        Assert.Equal(0x0807060504030201ul, _client.RegionRead<ulong>(0, 4088));
        VfioUserCounters counters = _served.Server.Counters;
        Assert.Equal((2L, 2L), (counters.RegionWrites(0), counters.RegionReads(0)));
        Assert.Equal(0, counters.RegionWrites(FakeDevice.Framebuffer));
        Assert.Equal(2, counters.Requests(VfioUserCommand.VFIO_USER_REGION_WRITE));
    }

    [Fact]
    public void The_largest_transfers_go_through_both_ways()
    {
        byte[] data = new byte[VfioUserLimits.MaxDataXferSize];
        new Random(1).NextBytes(data);
        for (int i = 0; i < 3; i++)
        {
            ulong offset = (ulong)(FakeDevice.LargeSize - data.Length - i);
            byte[] back = new byte[data.Length];
            _client.RegionWrite(FakeDevice.Large, offset, data);
            _client.RegionRead(FakeDevice.Large, offset, back);
            Assert.Equal(data, back);
        }
    }

    [Fact]
    public void A_multiple_write_is_done_in_order_until_the_device_refuses()
    {
        RegionWriteEntry[] entries =
        [
            new() { Offset = 0, Count = 8, Data = 0x1111111111111111 },
            new() { Offset = 4, Count = 2, Data = 0xffff2222 },
            new() { Region = FakeDevice.WriteOnly, Offset = 4095, Count = 1, Data = 3 },
        ];
        Assert.Equal(3, _client.RegionWriteMulti(entries));
        Assert.Equal(0x1111222211111111ul, _client.RegionRead<ulong>(0, 0));
        Assert.Equal(3, Device.Memory[FakeDevice.WriteOnly][4095]);
        Device.Answer = Errno.EIO;
        Assert.Equal(Errno.EIO, Assert.Throws<VfioUserException>(() => _client.RegionWriteMulti(entries)).Errno);
    }

    [Fact]
    public void The_devices_errors_are_the_clients()
    {
        Device.Answer = Errno.EBUSY;
        Assert.Equal(Errno.EBUSY, Assert.Throws<VfioUserException>(() => _client.RegionRead<uint>(0, 0)).Errno);
        Assert.Equal(Errno.EBUSY, Assert.Throws<VfioUserException>(() => _client.RegionWrite(0, 0, 1u)).Errno);
        Device.Answer = Errno.None;
        Assert.Equal(1u, _client.RegionRead<uint>(0, 0));
    }

    [Fact]
    public void Reset_is_done_before_its_reply()
    {
        _client.Reset();
        Assert.Equal(1, Device.Resets);
    }

    [Fact]
    public void A_device_that_throws_costs_only_its_client()
    {
        Device.OnAccess = () => throw new InvalidOperationException("broken device");
        _client.Send(1, VfioUserCommand.VFIO_USER_REGION_READ, Wire.Read(0, 0, 4));
        ServedDevice.AssertClosed(_client);
        Device.WaitForClose();
        _ = _served.Log.WaitFor("the device failed");
        Device.OnAccess = null;
        using VfioUserClient next = _served.Negotiated();
        Assert.Equal(0u, next.RegionRead<uint>(0, 0));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_long_read_brings_the_same_bytes_from_the_devices_memory(bool offersMemory)
    {
        Device.OffersMemory = offersMemory;
        new Random(1).NextBytes(Device.Memory[FakeDevice.Large]);
        byte[] read = new byte[VfioUserLimits.MaxDataXferSize];
        foreach (int length in (int[])[8, (16 << 10) - 1, 16 << 10, (16 << 10) + 1, read.Length])
        {
            _client.RegionRead(FakeDevice.Large, 12345, read.AsSpan(0, length));
            Assert.True(Device.Memory[FakeDevice.Large].AsSpan(12345, length).SequenceEqual(read.AsSpan(0, length)));
        }
    }

    [Fact]
    public void A_long_read_keeps_its_place_among_replies()
    {
        Device.OffersMemory = true;
        Device.Memory[FakeDevice.Large].AsSpan().Fill(0x5a);
        _client.SendRaw(
        [
            .. Wire.ReadMessage(1, 0, 0, 4),
            .. Wire.ReadMessage(2, FakeDevice.Large, 0, 64 << 10),
            .. Wire.Message(3, VfioUserCommand.VFIO_USER_REGION_READ, Wire.Read(FakeDevice.Large, 0, 64 << 10), VfioUserFlags.VFIO_USER_NO_REPLY),
            .. Wire.ReadMessage(4, 0, 0, 4),
        ]);
        foreach ((int id, int length) in ((int, int)[])[(1, 4), (2, 64 << 10), (4, 4)])
        {
            int received = _client.Receive(out VfioUserHeader header).Length;
            Assert.Equal((id, RegionAccess.Length + length), (header.MessageId, received));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_access_allocates_nothing(bool isJournaled)
    {
        using FileDescriptor file = ConnectionJournal.CreateFile();
        using var journal = new ConnectionJournal(file);
        using var journaled = isJournaled ? new ServedDevice(new VfioUserServerOptions { Journal = journal }) : null;
        using VfioUserClient? journaledClient = journaled?.Negotiated();
        AssertAllocatesNothing(journaled?.Device ?? Device, journaledClient ?? _client);
    }

    private static void AssertAllocatesNothing(FakeDevice device, VfioUserClient client)
    {
        // The runtime may allocate on this thread in one window or another; accesses that allocate do so in every one.
        const int Window = 160;
        long[] allocated = new long[10];
        int accesses = 0;
        device.OnAccess = () =>
        {
            if (accesses++ % Window == 0)
            {
                allocated[(accesses - 1) / Window] = GC.GetAllocatedBytesForCurrentThread();
            }
        };
        byte[] block = new byte[4096];
        byte[] longBlock = new byte[64 << 10];
        RegionWriteEntry[] entries = [new() { Offset = 16, Count = 8, Data = 1 }, new() { Offset = 24, Count = 4, Data = 2 }];
        for (int i = 0; i < 200; i++)
        {
            device.OffersMemory = i % 2 == 0;
            client.RegionRead(0, 0, block);
            client.RegionWrite(0, 16, block.AsSpan(0, 8));
            client.RegionWritePosted(0, 16, block.AsSpan(0, 8));
            client.RegionWritePosted(0, 24, block.AsSpan(0, 4));
            client.RegionRead(FakeDevice.Large, 0, block);
            Assert.Equal(2, client.RegionWriteMulti(entries));
            client.RegionRead(FakeDevice.Large, 0, longBlock);
        }

        Assert.Equal(Window * allocated.Length, accesses);
        Assert.Equal(0, allocated.Zip(allocated.Skip(1), (before, after) => after - before).Min());
    }
}
