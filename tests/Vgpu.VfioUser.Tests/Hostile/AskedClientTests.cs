using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.Vfio.Iommu;
using Vgpu.VfioUser.Messages;
using static Vgpu.VfioUser.Messages.VfioUserCommand;

namespace Vgpu.VfioUser.Tests.Hostile;

// Clients that are asked for their memory, and do not do what they should.
[Collection(nameof(Alone))]
public sealed class AskedClientTests : IDisposable
{
    private const ulong Unshared = 0x10000;
    private const int UnsharedSize = 4 << 20;

    private readonly OddDescriptors _odd = new();
    private readonly ServedDevice _served = new(new VfioUserServerOptions { ClientMemoryTimeout = TimeSpan.FromSeconds(20) });
    private Errno _answer;

    public void Dispose()
    {
        _served.Dispose();
        _odd.Dispose();
    }

    [Fact]
    public void One_that_takes_no_data_is_not_asked()
    {
        using VfioUserClient client = Connect(new VfioUserCapabilities { MaxDataXferSize = 0 });
        AccessOnRead(new byte[16], write: false);
        client.Send(9, VFIO_USER_REGION_READ, Wire.Read(0, 0, 4));
        Assert.Equal((VFIO_USER_REGION_READ, 9), Next(client));
        Assert.Equal(Errno.EFAULT, _answer);
    }

    [Fact]
    public void One_that_takes_a_byte_at_a_time_is_asked_byte_by_byte()
    {
        using VfioUserClient client = Connect(new VfioUserCapabilities { MaxDataXferSize = 1 });
        client.Memory = new Same();
        byte[] data = new byte[3];
        AccessOnRead(data, write: false);
        _ = client.RegionRead<uint>(0, 0);
        Assert.Equal(Errno.None, _answer);
        Assert.Equal([7, 7, 7], data);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(8)]
    public void Requests_with_descriptors_before_the_answer_are_done_after_it(int requests)
    {
        using VfioUserClient client = Connect(VfioUserClient.DefaultCapabilities);
        AccessOnRead(new byte[16], write: false);
        client.Send(9, VFIO_USER_REGION_READ, Wire.Read(0, 0, 4));
        (_, int id) = Next(client);
        for (int i = 0; i < requests; i++)
        {
            Assign(client);
        }

        client.SendRaw(Refusal(id));
        Assert.Equal((VFIO_USER_REGION_READ, 9), Next(client));
        Assert.Equal(Errno.ENODEV, _answer);
        Assert.Equal(9u, client.GetDeviceInfo().RegionCount);
        Assert.Equal(requests, _served.Device.IrqCalls.Count);
        Assert.All(_served.Device.IrqCalls, call => Assert.Equal(1, call.EventFds));
    }

    [Fact]
    public void Too_many_requests_with_descriptors_before_the_answer_end_the_connection()
    {
        _ = (_odd[DescriptorKind.Eventfd], _odd[DescriptorKind.Memory]);
        Holdings before = Holdings.Now();
        using (VfioUserClient client = Connect(VfioUserClient.DefaultCapabilities))
        {
            AccessOnRead(new byte[16], write: false);
            client.Send(9, VFIO_USER_REGION_READ, Wire.Read(0, 0, 4));
            Errno errno = Errno.None;
            for (int i = 0; errno == Errno.None && i < 1000; i++)
            {
                errno = client.Socket.Send(Wire.Message(1, VFIO_USER_DEVICE_RESET, []), default, [_odd[DescriptorKind.Memory].Number]);
            }

            _served.Device.WaitForClose();
            Assert.NotEqual(Errno.None, _answer);
        }

        Holdings.AssertBackTo(before, "the client");
        using VfioUserClient next = _served.Negotiated();
        Assert.Equal(9u, next.GetDeviceInfo().RegionCount);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_twin_socket_that_nobody_reads_holds_neither_the_server_nor_the_next_client(bool leaves)
    {
        var twin = Connect(VfioUserClient.DefaultCapabilities with { TwinSocket = true }, out UnixSocket unread);
        using (unread)
        using (twin)
        {
            AccessOnRead(new byte[UnsharedSize], write: true);
            twin.Send(9, VFIO_USER_REGION_READ, Wire.Read(0, 0, 4));
            Assert.True(unread.WaitReadable(10_000));
            if (leaves)
            {
                twin.Dispose();
                _served.Device.OnAccess = null;
                using VfioUserClient next = _served.Negotiated();
                Assert.Equal(9u, next.GetDeviceInfo().RegionCount);
            }

            var ending = new Thread(_served.Dispose);
            ending.Start();
            Assert.True(ending.Join(TimeSpan.FromSeconds(60)), "the server waits for its client");
        }
    }

    [Fact]
    public void Answers_that_are_wrong_end_the_connection()
    {
        byte[] access = Wire.Bytes(new DmaAccess { Address = Unshared, Count = 16 });
        (string Name, Func<int, byte[]> Answer)[] wrong =
        [
            ("another id", id => Reply(id + 1, VFIO_USER_DMA_READ, [.. access, .. new byte[16]])),
            ("another command", id => Reply(id, VFIO_USER_DMA_WRITE, [.. access, .. new byte[16]])),
            ("a request's reply", id => Reply(id, VFIO_USER_REGION_READ, [.. access, .. new byte[16]])),
            ("nothing", id => Reply(id, VFIO_USER_DMA_READ, [])),
            ("no data", id => Reply(id, VFIO_USER_DMA_READ, access)),
            ("a byte less", id => Reply(id, VFIO_USER_DMA_READ, [.. access, .. new byte[15]])),
            ("a byte more", id => Reply(id, VFIO_USER_DMA_READ, [.. access, .. new byte[17]])),
            ("another address", id => Reply(id, VFIO_USER_DMA_READ, [.. Wire.Bytes(new DmaAccess { Address = 1, Count = 16 }), .. new byte[16]])),
            ("another count", id => Reply(id, VFIO_USER_DMA_READ, [.. Wire.Bytes(new DmaAccess { Address = Unshared, Count = 1UL << 63 }), .. new byte[16]])),
        ];
        foreach (var (name, answer) in wrong)
        {
            using (VfioUserClient client = Connect(VfioUserClient.DefaultCapabilities))
            {
                AccessOnRead(new byte[16], write: false);
                client.Send(9, VFIO_USER_REGION_READ, Wire.Read(0, 0, 4));
                (VfioUserCommand command, int id) = Next(client);
                Assert.Equal(VFIO_USER_DMA_READ, command);
                client.SendRaw(answer(id));
                _served.Device.WaitForClose();
            }

            Assert.True(_answer == Errno.EPROTO, $"{name}: {_answer}");
            _served.Device.OnAccess = null;
        }

        using VfioUserClient next = _served.Negotiated();
        Assert.Equal(9u, next.GetDeviceInfo().RegionCount);
    }

    private VfioUserClient Connect(VfioUserCapabilities offer) => Connect(offer, out _);

    // With some memory mapped that it does not share.
    private VfioUserClient Connect(VfioUserCapabilities offer, out UnixSocket twin)
    {
        VfioUserClient client = _served.Connect();
        _ = client.Request(VFIO_USER_VERSION, Wire.Version(System.Text.Encoding.UTF8.GetString(offer.Format())));
        twin = client.TakeDescriptor() is { } descriptor ? new UnixSocket(descriptor) : null!;
        client.DmaMap(Unshared, UnsharedSize, IommuProtection.IOMMU_READ | IommuProtection.IOMMU_WRITE);
        _served.Device.Iommu.BusMaster = true;
        return client;
    }

    // The device asks on the connection's own thread, in the middle of a request.
    private void AccessOnRead(byte[] data, bool write) => _served.Device.OnAccess = () => _answer = _served.Device.DmaRw(Unshared, data, write);

    private void Assign(VfioUserClient client) => client.Send(
        1,
        VFIO_USER_DEVICE_SET_IRQS,
        Requests.Irqs(Requests.Msix, 0, 1, Requests.Eventfd | Requests.Trigger),
        VfioUserFlags.VFIO_USER_NO_REPLY,
        _odd[DescriptorKind.Eventfd]);

    private static byte[] Reply(int id, VfioUserCommand command, byte[] payload) => Wire.Message((ushort)id, command, payload, VfioUserFlags.VFIO_USER_REPLY);

    private static byte[] Refusal(int id) => Wire.Bytes(VfioUserHeader.Request((ushort)id, VFIO_USER_DMA_READ, 0).Failure(Errno.ENODEV));

    // The next message, whatever it is, unanswered.
    private static (VfioUserCommand Command, int Id) Next(VfioUserClient client)
    {
        byte[] head = new byte[VfioUserHeader.Length];
        Receive(client, head);
        VfioUserHeader header = MemoryMarshal.Read<VfioUserHeader>(head);
        Receive(client, new byte[header.MessageSize - VfioUserHeader.Length]);
        return (header.Command, header.MessageId);
    }

    private static void Receive(VfioUserClient client, byte[] bytes)
    {
        for (int done = 0; done < bytes.Length;)
        {
            Assert.True(client.Socket.WaitReadable(10_000), "the server is silent");
            int received = client.Socket.Receive(bytes.AsSpan(done), [], out _, out _);
            Assert.NotEqual(0, received);
            done += received;
        }
    }

    private sealed class Same : IClientMemory
    {
        public Errno Read(ulong iova, Span<byte> data)
        {
            data.Fill(7);
            return Errno.None;
        }

        public Errno Write(ulong iova, ReadOnlySpan<byte> data) => Errno.None;
    }
}
