using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.Vfio;
using Vgpu.VfioUser.Messages;
using static Vgpu.VfioUser.Messages.VfioUserCommand;

namespace Vgpu.VfioUser.Tests;

// Every request that a client can get wrong, and the exact errno for it. The connection goes on after each.
public sealed class FaultTests
{
    private const VfioIrqSetFlags Trigger = VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TRIGGER;
    private const VfioIrqSetFlags Unmask = VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_UNMASK;
    private const VfioIrqSetFlags None = VfioIrqSetFlags.VFIO_IRQ_SET_DATA_NONE;
    private const VfioIrqSetFlags Bool = VfioIrqSetFlags.VFIO_IRQ_SET_DATA_BOOL;
    private const VfioIrqSetFlags Eventfd = VfioIrqSetFlags.VFIO_IRQ_SET_DATA_EVENTFD;

    private static readonly (string Fault, VfioUserCommand Command, byte[] Payload, Errno Errno)[] _faults =
    [
        ("unknown command 0", 0, [], Errno.ENOSYS),
        ("unknown command 14", (VfioUserCommand)14, [], Errno.ENOSYS),
        ("unknown command 65535", (VfioUserCommand)65535, new byte[64], Errno.ENOSYS),
        ("the server's command", VFIO_USER_DMA_READ, new byte[16], Errno.ENOSYS),
        ("the server's command", VFIO_USER_DMA_WRITE, new byte[16], Errno.ENOSYS),
        ("not yet", VFIO_USER_DEVICE_FEATURE, new byte[8], Errno.ENOTSUP),
        ("not yet", VFIO_USER_MIG_DATA_READ, new byte[8], Errno.ENOTSUP),
        ("not yet", VFIO_USER_MIG_DATA_WRITE, new byte[8], Errno.ENOTSUP),

        ("short payload", VFIO_USER_DEVICE_GET_INFO, new byte[15], Errno.EINVAL),
        ("argsz", VFIO_USER_DEVICE_GET_INFO, Wire.Bytes(new DeviceInfo { Argsz = 15 }), Errno.EINVAL),
        ("short payload", VFIO_USER_DEVICE_GET_REGION_INFO, new byte[31], Errno.EINVAL),
        ("argsz", VFIO_USER_DEVICE_GET_REGION_INFO, Wire.Bytes(new RegionInfo { Argsz = 31 }), Errno.EINVAL),
        ("index", VFIO_USER_DEVICE_GET_REGION_INFO, Wire.Bytes(new RegionInfo { Argsz = 32, Index = 9 }), Errno.EINVAL),
        ("index", VFIO_USER_DEVICE_GET_REGION_INFO, Wire.Bytes(new RegionInfo { Argsz = 32, Index = uint.MaxValue }), Errno.EINVAL),
        ("argsz", VFIO_USER_DEVICE_GET_REGION_IO_FDS, Wire.Bytes(new RegionIoFds { Argsz = 8 }), Errno.EINVAL),
        ("flags", VFIO_USER_DEVICE_GET_REGION_IO_FDS, Wire.Bytes(new RegionIoFds { Argsz = 16, Flags = 1 }), Errno.EINVAL),
        ("index", VFIO_USER_DEVICE_GET_REGION_IO_FDS, Wire.Bytes(new RegionIoFds { Argsz = 16, Index = 9 }), Errno.EINVAL),
        ("argsz", VFIO_USER_DEVICE_GET_IRQ_INFO, Wire.Bytes(new IrqInfo { Argsz = 4 }), Errno.EINVAL),
        ("index", VFIO_USER_DEVICE_GET_IRQ_INFO, Wire.Bytes(new IrqInfo { Argsz = 16, Index = 5 }), Errno.EINVAL),
        ("payload", VFIO_USER_DEVICE_RESET, new byte[1], Errno.EINVAL),

        ("short payload", VFIO_USER_REGION_READ, new byte[15], Errno.EINVAL),
        ("long payload", VFIO_USER_REGION_READ, new byte[17], Errno.EINVAL),
        ("no such region", VFIO_USER_REGION_READ, Wire.Read(9, 0, 4), Errno.EINVAL),
        ("absent region", VFIO_USER_REGION_READ, Wire.Read(FakeDevice.Absent, 0, 4), Errno.EINVAL),
        ("nothing", VFIO_USER_REGION_READ, Wire.Read(0, 0, 0), Errno.EINVAL),
        ("past the end", VFIO_USER_REGION_READ, Wire.Read(0, 4093, 4), Errno.EINVAL),
        ("far past the end", VFIO_USER_REGION_READ, Wire.Read(0, 4097, 1), Errno.EINVAL),
        ("wraps", VFIO_USER_REGION_READ, Wire.Read(0, ulong.MaxValue, 4), Errno.EINVAL),
        ("wraps to 0", VFIO_USER_REGION_READ, Wire.Read(0, ulong.MaxValue - 3, 4), Errno.EINVAL),
        ("too much", VFIO_USER_REGION_READ, Wire.Read(FakeDevice.Large, 0, VfioUserLimits.MaxDataXferSize + 1), Errno.EINVAL),
        ("too much", VFIO_USER_REGION_READ, Wire.Read(FakeDevice.Large, 0, uint.MaxValue), Errno.EINVAL),
        ("write-only", VFIO_USER_REGION_READ, Wire.Read(FakeDevice.WriteOnly, 0, 4), Errno.EPERM),
        ("count > payload", VFIO_USER_REGION_WRITE, Wire.Write(0, 0, 4, 1, 2, 3), Errno.EINVAL),
        ("count < payload", VFIO_USER_REGION_WRITE, Wire.Write(0, 0, 2, 1, 2, 3), Errno.EINVAL),
        ("nothing", VFIO_USER_REGION_WRITE, Wire.Write(0, 0, 0), Errno.EINVAL),
        ("past the end", VFIO_USER_REGION_WRITE, Wire.Write(0, 4095, 2, 1, 2), Errno.EINVAL),
        ("read-only", VFIO_USER_REGION_WRITE, Wire.Write(FakeDevice.ReadOnly, 0, 1, 1), Errno.EPERM),
        ("empty", VFIO_USER_REGION_WRITE_MULTI, [], Errno.EINVAL),
        ("none", VFIO_USER_REGION_WRITE_MULTI, Wire.Bytes(0UL), Errno.EINVAL),
        ("fewer than said", VFIO_USER_REGION_WRITE_MULTI, Multi(2, Entry(0, 0, 4)), Errno.EINVAL),
        ("more than said", VFIO_USER_REGION_WRITE_MULTI, Multi(1, Entry(0, 0, 4), Entry(0, 0, 4)), Errno.EINVAL),
        ("half an entry", VFIO_USER_REGION_WRITE_MULTI, [.. Multi(1, Entry(0, 0, 4)), 0], Errno.EINVAL),
        ("count overflow", VFIO_USER_REGION_WRITE_MULTI, Multi(0x0aaaaaaaaaaaaaab, Entry(0, 0, 4)), Errno.EINVAL),
        ("entry of 9", VFIO_USER_REGION_WRITE_MULTI, Multi(1, Entry(0, 0, 9)), Errno.EINVAL),
        ("entry out of bounds", VFIO_USER_REGION_WRITE_MULTI, Multi(2, Entry(0, 0, 4), Entry(0, 4095, 8)), Errno.EINVAL),
        ("read-only entry", VFIO_USER_REGION_WRITE_MULTI, Multi(1, Entry(FakeDevice.ReadOnly, 0, 4)), Errno.EPERM),

        ("short payload", VFIO_USER_DMA_MAP, new byte[31], Errno.EINVAL),
        ("long payload", VFIO_USER_DMA_MAP, [.. Map(0, 4096), 0], Errno.EINVAL),
        ("argsz", VFIO_USER_DMA_MAP, Map(0, 4096, argsz: 31), Errno.EINVAL),
        ("flags", VFIO_USER_DMA_MAP, Map(0, 4096, flags: 4), Errno.EINVAL),
        ("no size", VFIO_USER_DMA_MAP, Map(0, 0), Errno.EINVAL),
        ("not a page", VFIO_USER_DMA_MAP, Map(0, 100), Errno.EINVAL),
        ("wraps", VFIO_USER_DMA_MAP, Map(0xffff_ffff_ffff_f000, 8192), Errno.EINVAL),
        ("short payload", VFIO_USER_DMA_UNMAP, new byte[23], Errno.EINVAL),
        ("argsz", VFIO_USER_DMA_UNMAP, Unmap(0, 4096, argsz: 8), Errno.EINVAL),
        ("flags", VFIO_USER_DMA_UNMAP, Unmap(0, 4096, flags: 4), Errno.EINVAL),
        ("dirty bitmap", VFIO_USER_DMA_UNMAP, [.. Unmap(0, 4096, flags: 1), .. new byte[16]], Errno.ENOTSUP),
        ("all with a range", VFIO_USER_DMA_UNMAP, Unmap(0, 4096, flags: 2), Errno.EINVAL),
        ("nothing there", VFIO_USER_DMA_UNMAP, Unmap(0, 4096), Errno.ENOENT),

        ("short payload", VFIO_USER_DEVICE_SET_IRQS, new byte[19], Errno.EINVAL),
        ("argsz", VFIO_USER_DEVICE_SET_IRQS, Irqs(0, 0, 1, None | Trigger, argsz: 19), Errno.EINVAL),
        ("index", VFIO_USER_DEVICE_SET_IRQS, Irqs(5, 0, 1, None | Trigger), Errno.EINVAL),
        ("start", VFIO_USER_DEVICE_SET_IRQS, Irqs(2, 8, 1, None | Trigger), Errno.EINVAL),
        ("start + count", VFIO_USER_DEVICE_SET_IRQS, Irqs(2, 7, 2, None | Trigger), Errno.EINVAL),
        ("start + count wraps", VFIO_USER_DEVICE_SET_IRQS, Irqs(2, 4, uint.MaxValue - 2, None | Trigger), Errno.EINVAL),
        ("no data kind", VFIO_USER_DEVICE_SET_IRQS, Irqs(0, 0, 1, Trigger), Errno.EINVAL),
        ("two data kinds", VFIO_USER_DEVICE_SET_IRQS, Irqs(0, 0, 1, None | Bool | Trigger, [1]), Errno.EINVAL),
        ("no action", VFIO_USER_DEVICE_SET_IRQS, Irqs(0, 0, 1, None), Errno.EINVAL),
        ("two actions", VFIO_USER_DEVICE_SET_IRQS, Irqs(0, 0, 1, None | Unmask | Trigger), Errno.EINVAL),
        ("unknown flag", VFIO_USER_DEVICE_SET_IRQS, Irqs(0, 0, 1, None | Trigger | (VfioIrqSetFlags)64), Errno.EINVAL),
        ("count 0 with eventfds", VFIO_USER_DEVICE_SET_IRQS, Irqs(2, 0, 0, Eventfd | Trigger), Errno.EINVAL),
        ("count 0, not the first", VFIO_USER_DEVICE_SET_IRQS, Irqs(2, 1, 0, None | Trigger), Errno.EINVAL),
        ("too few bools", VFIO_USER_DEVICE_SET_IRQS, Irqs(2, 0, 3, Bool | Trigger, [1, 0]), Errno.EINVAL),
        ("too many bools", VFIO_USER_DEVICE_SET_IRQS, Irqs(2, 0, 1, Bool | Trigger, [1, 0]), Errno.EINVAL),
        ("data with none", VFIO_USER_DEVICE_SET_IRQS, Irqs(2, 0, 1, None | Trigger, [1]), Errno.EINVAL),
    ];

    [Fact]
    public void Each_fault_has_its_errno_and_the_connection_goes_on()
    {
        using var served = new ServedDevice();
        using VfioUserClient client = served.Negotiated();
        ushort id = 100;
        foreach (var (fault, command, payload, errno) in _faults)
        {
            client.Send(++id, command, payload);
            Assert.True(client.Receive(out VfioUserHeader header).IsEmpty, fault);
            Assert.True(
                (header.MessageId, header.Command, (Errno)header.Error) == (id, command, errno),
                $"{command}, {fault}: {(Errno)header.Error} instead of {errno}");
            Assert.Equal(VfioUserFlags.VFIO_USER_REPLY | VfioUserFlags.VFIO_USER_ERROR, header.Flags);
        }

        Assert.Equal(_faults.Length, served.Server.Counters.Refusals);
        Assert.Equal(0, served.Device.IrqCalls.Count + served.Device.Resets + served.Device.Iommu.MapCount);
        Assert.All(served.Device.Memory, m => Assert.True(m.AsSpan().IndexOfAnyExcept((byte)0) < 0));
        Assert.InRange(served.Log.Lines.Count, 1, 20);
    }

    [Fact]
    public void Faults_that_want_no_reply_get_none()
    {
        using var served = new ServedDevice();
        using VfioUserClient client = served.Negotiated();
        foreach (var (_, command, payload, _) in _faults)
        {
            client.Send(1, command, payload, VfioUserFlags.VFIO_USER_NO_REPLY);
        }

        Assert.Equal(9u, client.GetDeviceInfo().RegionCount);
        Assert.Equal(_faults.Length, served.Server.Counters.Refusals);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Requests_of_random_bytes_are_all_answered(int seed) => AskAtRandom(seed, Campaign.Short());

    [Theory]
    [Trait("Length", "long")]
    [InlineData(101)]
    public void Requests_of_random_bytes_are_all_answered_for_long(int seed) => AskAtRandom(seed, Campaign.Long());

    private static void AskAtRandom(int seed, Campaign campaign)
    {
        var random = new Random(seed);
        using var served = new ServedDevice();
        using VfioUserClient client = served.Negotiated();
        using var memory = MemFd.Create("random", 1 << 16);
        using var eventfd = EventFd.Create();
        FileDescriptor[] descriptors = [memory, eventfd.Descriptor, eventfd.Descriptor, memory];
        byte[] interesting = [0, 0, 0, 0, 1, 2, 3, 4, 8, 16, 32, 64, 128, 255];
        for (ushort id = 1; campaign.Next(); id++)
        {
            // A true request with some of its bytes changed, or a command that is anything.
            var (_, command, payload, _) = _faults[random.Next(_faults.Length)];
            payload = [.. payload];
            for (int i = random.Next(4); i > 0 && payload.Length > 0; i--)
            {
                payload[random.Next(payload.Length)] = interesting[random.Next(interesting.Length)];
            }

            bool noReply = random.Next(4) == 0;
            client.Send(
                id,
                random.Next(8) == 0 ? (VfioUserCommand)random.Next(2, 20) : command,
                payload,
                noReply ? VfioUserFlags.VFIO_USER_NO_REPLY : 0,
                descriptors.AsSpan(0, random.Next(3) == 0 ? random.Next(5) : 0));
            if (!noReply)
            {
                _ = client.Receive(out VfioUserHeader header);
                Assert.Equal(id, header.MessageId);
            }
        }

        Assert.Equal(9u, client.GetDeviceInfo().RegionCount);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(15)]
    [InlineData(0x20)]
    [InlineData(0x40)]
    [InlineData(0x80000000)]
    public void Flags_that_mean_nothing_are_refused(uint flags)
    {
        using var served = new ServedDevice();
        using VfioUserClient client = served.Negotiated();
        client.Send(4, VFIO_USER_REGION_READ, Wire.Read(0, 0, 4), (VfioUserFlags)flags);
        ServedDevice.AssertRefused(client, 4, VFIO_USER_REGION_READ, Errno.EINVAL);
    }

    [Fact]
    public void A_reply_where_a_request_belongs_closes()
    {
        using var served = new ServedDevice();
        using VfioUserClient client = served.Negotiated();
        client.Send(4, VFIO_USER_REGION_READ, Wire.Read(0, 0, 4), VfioUserFlags.VFIO_USER_REPLY);
        ServedDevice.AssertClosed(client);
        served.Device.WaitForClose();
        _ = served.Log.WaitFor("reply to nothing");
    }

    private static byte[] Map(ulong address, ulong size, uint argsz = 32, uint flags = 3) =>
        Wire.Bytes(new DmaMap { Argsz = argsz, Flags = (DmaMapFlags)flags, Address = address, Size = size });

    private static byte[] Unmap(ulong address, ulong size, uint argsz = 24, uint flags = 0) =>
        Wire.Bytes(new DmaUnmap { Argsz = argsz, Flags = (DmaUnmapFlags)flags, Address = address, Size = size });

    private static byte[] Irqs(uint index, uint start, uint count, VfioIrqSetFlags flags, byte[]? data = null, uint argsz = 20) =>
        [.. Wire.Bytes(new IrqSet { Argsz = argsz, Flags = flags, Index = index, Start = start, Count = count }), .. data ?? []];

    private static RegionWriteEntry Entry(uint region, ulong offset, uint count) => new() { Region = region, Offset = offset, Count = count, Data = ulong.MaxValue };

    private static byte[] Multi(ulong count, params RegionWriteEntry[] entries) => [.. Wire.Bytes(count), .. entries.SelectMany(Wire.Bytes)];
}
