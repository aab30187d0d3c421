using Vgpu.Linux;
using Vgpu.Vfio.Iommu;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Tests;

// Memory that a client maps and does not share: VFIO_USER_DMA_READ and VFIO_USER_DMA_WRITE.
public sealed class ClientMemoryTests : IDisposable
{
    private const IommuProtection ReadWrite = IommuProtection.IOMMU_READ | IommuProtection.IOMMU_WRITE;
    private const ulong Base = 0x10_0000;
    private const int Size = 4 << 20;

    private readonly ServedDevice _served = new(new VfioUserServerOptions { ClientMemoryTimeout = TimeSpan.FromSeconds(20) });
    private readonly Ram _ram = new(Base, Size);

    public void Dispose() => _served.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_devices_thread_reaches_memory_that_is_not_shared(bool isTwin)
    {
        using VfioUserClient client = Connect(isTwin);
        byte[] written = new byte[3_000_000];
        new Random(2).NextBytes(written);
        byte[] read = new byte[written.Length];
        var device = new Thread(() =>
        {
            Assert.Equal(Errno.None, _served.Device.DmaRw(Base + 5, written, write: true));
            Assert.Equal(Errno.None, _served.Device.DmaRw(Base + 5, read, write: false));
        });
        device.Start();
        AskUntilDone(client, device, isTwin);

        Assert.Equal(written, _ram.Bytes[5..(5 + written.Length)]);
        Assert.Equal(written, read);
        Assert.All(_ram.Accesses, length => Assert.InRange(length, 1, VfioUserLimits.MaxDataXferSize));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_device_may_ask_within_a_request(bool isTwin)
    {
        using VfioUserClient client = Connect(isTwin);
        byte[] data = new byte[100_000];
        Errno errno = Errno.EIO;
        _served.Device.OnAccess = () => errno = _served.Device.DmaRw(Base, data, write: false);
        _ram.Bytes[99_999] = 77;

        // What is sent next lies in front of the client's answer, and is not lost.
        for (byte i = 0; i < 3; i++)
        {
            client.RegionWritePosted(FakeDevice.Registers, i, [(byte)(i + 1)]);
        }

        Assert.Equal(3, client.RegionRead<byte>(FakeDevice.Registers, 2));
        Assert.Equal((Errno.None, (byte)77), (errno, data[99_999]));
        Assert.Equal([1, 2, 3], _served.Device.Memory[FakeDevice.Registers][..3]);
        Assert.Equal(4, _ram.Accesses.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_the_client_refuses_the_device_is_told(bool isTwin)
    {
        using VfioUserClient client = Connect(isTwin);
        client.DmaMap(1 << 30, 0x1000, ReadWrite);
        client.DmaMap(2U << 30, 0x1000, IommuProtection.IOMMU_READ);
        client.Memory = null;
        byte[] data = new byte[16];
        var answers = new List<Errno>();
        _served.Device.OnAccess = () =>
        {
            answers.Add(_served.Device.DmaRw(1 << 30, data, write: false));
            answers.Add(_served.Device.DmaRw(3U << 30, data, write: false));
            answers.Add(_served.Device.DmaRw((1 << 30) + 4090, data, write: false));
            answers.Add(_served.Device.DmaRw(2U << 30, data, write: true));
            lock (_served.Device.Lock)
            {
                answers.Add(_served.Device.DmaRw(1 << 30, data, write: false));
            }

            _served.Device.Iommu.BusMaster = false;
            answers.Add(_served.Device.DmaRw(1 << 30, data, write: false));
        };
        _ = client.RegionRead<byte>(FakeDevice.Registers, 0);

        Assert.Equal([Errno.ENODEV, Errno.EFAULT, Errno.EFAULT, Errno.EPERM, Errno.EFAULT, Errno.EPERM], answers);
    }

    [Fact]
    public void What_a_device_writes_there_is_dirty_as_anywhere()
    {
        using VfioUserClient client = Connect(isTwin: true);
        _ = client.StartDmaLogging(4096);
        Assert.Equal(Errno.None, _served.Device.DmaRw(Base + 8192, new byte[1], write: true));
        Assert.Equal([0b100, 0, 0, 0, 0, 0, 0, 0], client.ReportDmaLogging(Base, 64 * 4096, 4096));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_client_that_leaves_leaves_nobody_waiting(bool isTwin)
    {
        VfioUserClient client = Connect(isTwin);
        client.Memory = new Leaver(client.Socket, _served.Device);
        Errno errno = Errno.None;
        var device = new Thread(() => errno = _served.Device.DmaRw(Base, new byte[1], write: false));
        device.Start();
        try
        {
            AskUntilDone(client, device, isTwin);
        }
        catch (VfioUserException e)
        {
            Assert.Contains(e.Errno, (Errno[])[Errno.ECONNRESET, Errno.EPIPE]);
        }

        device.Join();
        Assert.Equal(Errno.ECONNRESET, errno);
        client.Dispose();
    }

    [Fact]
    public void A_client_that_is_silent_costs_the_device_its_patience_and_may_answer_late()
    {
        using var served = new ServedDevice(new VfioUserServerOptions { ClientMemoryTimeout = TimeSpan.FromMilliseconds(20) });
        using VfioUserClient client = served.Negotiated();
        served.Device.Iommu.BusMaster = true;
        client.DmaMap(Base, 4096, ReadWrite);
        client.Memory = _ram;

        // Nobody answers while nobody asks.
        Assert.Equal(Errno.ETIMEDOUT, served.Device.DmaRw(Base, new byte[1], write: false));
        Assert.Equal(9u, client.GetDeviceInfo().RegionCount);
        Assert.Equal(9u, client.GetDeviceInfo().RegionCount);
        client.Send(1, VfioUserCommand.VFIO_USER_DMA_READ, [], VfioUserFlags.VFIO_USER_REPLY);
        ServedDevice.AssertClosed(client);
    }

    [Theory]
    [InlineData(15, Base)]
    [InlineData(16, Base)]
    [InlineData(18, Base)]
    [InlineData(17, Base + 1)]
    public void An_answer_that_is_none_ends_the_conversation(int length, ulong address)
    {
        using VfioUserClient client = Connect(isTwin: false);
        Errno errno = Errno.None;
        _served.Device.OnAccess = () => errno = _served.Device.DmaRw(Base, new byte[1], write: false);
        client.Send(5, VfioUserCommand.VFIO_USER_REGION_READ, Wire.Read(0, 0, 1));
        _ = client.Receive(out VfioUserHeader asked);
        byte[] answer = [.. Wire.Bytes(new DmaAccess { Address = address, Count = 1 }), 0, 0];
        client.Send(asked.MessageId, asked.Command, answer.AsSpan(0, length), VfioUserFlags.VFIO_USER_REPLY);
        _ = client.Receive(out VfioUserHeader reply);
        Assert.Equal((5, Errno.EPROTO), (reply.MessageId, errno));
        ServedDevice.AssertClosed(client);
        _ = _served.Log.WaitFor("it answered an access to its memory with something else");
    }

    private VfioUserClient Connect(bool isTwin)
    {
        VfioUserClient client = _served.Connect();
        client.Memory = _ram;
        _ = client.Negotiate(VfioUserClient.DefaultCapabilities with { TwinSocket = isTwin ? true : null });
        _served.Device.Iommu.BusMaster = true;
        client.DmaMap(Base, Size, ReadWrite);
        return client;
    }

    // Without a twin socket a client answers while it waits for replies of its own.
    private static void AskUntilDone(VfioUserClient client, Thread device, bool isTwin)
    {
        while (!isTwin && device.IsAlive)
        {
            _ = client.GetDeviceInfo();
        }

        device.Join();
    }

    private sealed class Ram(ulong first, int size) : IClientMemory
    {
        internal byte[] Bytes { get; } = new byte[size];

        internal List<int> Accesses { get; } = [];

        public Errno Read(ulong iova, Span<byte> data)
        {
            Accesses.Add(data.Length);
            Bytes.AsSpan((int)(iova - first), data.Length).CopyTo(data);
            return Errno.None;
        }

        public Errno Write(ulong iova, ReadOnlySpan<byte> data)
        {
            Accesses.Add(data.Length);
            data.CopyTo(Bytes.AsSpan((int)(iova - first)));
            return Errno.None;
        }
    }

    // Answers only once the server has noticed.
    private sealed class Leaver(UnixSocket socket, FakeDevice device) : IClientMemory
    {
        public Errno Read(ulong iova, Span<byte> data)
        {
            socket.Shutdown();
            device.WaitForClose();
            return Errno.None;
        }

        public Errno Write(ulong iova, ReadOnlySpan<byte> data) => Read(iova, default);
    }
}
