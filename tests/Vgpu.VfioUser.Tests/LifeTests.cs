using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Tests;

// Clients that come, go, stay silent or never listen; and what is left of them.
[Collection(nameof(Alone))]
public sealed class LifeTests
{
    private const VfioIrqSetFlags EventfdTrigger = VfioIrqSetFlags.VFIO_IRQ_SET_DATA_EVENTFD | VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TRIGGER;

    [Fact]
    public void A_second_client_is_refused_while_one_is_served()
    {
        using var served = new ServedDevice();
        using (VfioUserClient first = served.Negotiated())
        {
            using VfioUserClient second = served.Connect();
            ServedDevice.AssertClosed(second);
            _ = served.Log.WaitFor($"refused a second client, pid {Environment.ProcessId}");
            Assert.Equal(9u, first.GetDeviceInfo().RegionCount);
        }

        using VfioUserClient third = served.Negotiated();
        Assert.Equal(9u, third.GetDeviceInfo().RegionCount);
    }

    [Fact]
    public void A_client_that_never_introduces_itself_makes_room_for_the_next()
    {
        using var served = new ServedDevice(new VfioUserServerOptions { HandshakeTimeout = TimeSpan.Zero });
        using VfioUserClient silent = served.Connect();
        silent.SendRaw([1, 0, 1]);
        using VfioUserClient next = served.Negotiated();
        Assert.Equal(9u, next.GetDeviceInfo().RegionCount);
        ServedDevice.AssertClosed(silent);
        using VfioUserClient refused = served.Connect();
        ServedDevice.AssertClosed(refused);
    }

    [Fact]
    public void Many_refusals_are_few_lines()
    {
        using var served = new ServedDevice();
        using VfioUserClient first = served.Negotiated();
        for (int i = 0; i < 100; i++)
        {
            using VfioUserClient second = served.Connect();
            ServedDevice.AssertClosed(second);
        }

        Assert.InRange(served.Log.Lines.Count, 1, 21);
    }

    [Fact]
    public void The_end_of_the_server_ends_the_client_and_takes_the_socket_away()
    {
        var served = new ServedDevice();
        using VfioUserClient client = served.Negotiated();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(served.SocketPath));
        served.Dispose();
        ServedDevice.AssertClosed(client);
        Assert.False(File.Exists(served.SocketPath));
        Assert.Equal((1, 1), (served.Device.Opens, served.Device.Closes));
        served.Server.Dispose();
    }

    [Fact]
    public void A_socket_that_is_another_s_stays()
    {
        var served = new ServedDevice();
        File.Delete(served.SocketPath);
        using var successor = UnixSocket.Listen(served.SocketPath);
        served.Dispose();
        Assert.True(File.Exists(served.SocketPath));
        successor.Unlink();
        Assert.False(File.Exists(served.SocketPath));
    }

    [Fact]
    public void A_path_in_use_or_no_socket_is_an_error()
    {
        using var served = new ServedDevice();
        using var device = new FakeDevice();
        using var second = new VfioUserServer(served.SocketPath, device, served.Log);
        Assert.Equal(Errno.EADDRINUSE, Assert.Throws<LinuxException>(second.Start).Errno);
        string file = Path.GetTempFileName();
        using var third = new VfioUserServer(file, device, served.Log);
        Assert.Equal(Errno.EEXIST, Assert.Throws<LinuxException>(third.Start).Errno);
        third.Dispose();
        Assert.True(File.Exists(file));
        File.Delete(file);
        using VfioUserClient client = served.Negotiated();
        Assert.Equal(9u, client.GetDeviceInfo().RegionCount);
    }

    [Fact]
    public void A_connection_serves_a_socket_that_somebody_else_made()
    {
        using var device = new FakeDevice();
        var (near, far) = UnixSocket.Pair();
        using var connection = new VfioUserConnection(near, device, "pair", new ListLogger());
        connection.Start();
        using (var client = new VfioUserClient(far))
        {
            _ = client.Negotiate();
            client.RegionWrite(0, 0, 7u);
            Assert.True(connection.IsNegotiated);
        }

        Assert.True(connection.WaitForEnd(TimeSpan.FromSeconds(60)));
        Assert.Equal(1, connection.Counters.RegionWrites(0));
        Assert.Equal(1, device.Closes);
        using var unused = new VfioUserConnection(UnixSocket.Pair().First, device, "never started", new ListLogger());
    }

    [Fact]
    public void Client_events_come_in_pairs()
    {
        using var served = new ServedDevice();
        int changes = 0;
        using var left = new SemaphoreSlim(0);
        served.Server.ClientChanged += (_, _) =>
        {
            if (Interlocked.Increment(ref changes) == 2)
            {
                Assert.False(served.Server.IsClientConnected);
                left.Release();
            }
        };
        using (VfioUserClient client = served.Negotiated())
        {
            Assert.Equal((1, true), (Volatile.Read(ref changes), served.Server.IsClientConnected));
        }

        Assert.True(left.Wait(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public void Two_hundred_clients_leave_nothing_behind()
    {
        using var served = new ServedDevice();
        using var memory = MemFd.Create("ram", 1 << 20);
        using var trigger = EventFd.Create();
        (int Descriptors, int Mappings, int Threads) first = default;
        for (int round = 0; round < 205; round++)
        {
            using (VfioUserClient client = served.Negotiated())
            {
                client.DmaMap(0, 1 << 20, IommuProtection.IOMMU_READ, memory);
                client.SetIrqs(2, 0, 2, EventfdTrigger, [], trigger.Descriptor, trigger.Descriptor);
                client.GetRegionInfo(FakeDevice.Framebuffer).File!.Dispose();

                // Descriptors with a message that takes none, one that is refused, and one that never ends.
                Assert.Throws<VfioUserException>(() => { _ = client.Request(VfioUserCommand.VFIO_USER_DEVICE_RESET, [], memory, memory); });
                Assert.Throws<VfioUserException>(() => client.SetIrqs(2, 0, 1, EventfdTrigger, [], memory));
                client.SendRaw([1, 0, 2], memory, trigger.Descriptor);
            }

            served.Device.WaitForClose();
            if (round == 4)
            {
                first = Held();
            }
        }

        var last = Held();
        Assert.InRange(last.Descriptors, 0, first.Descriptors + 2);
        Assert.InRange(last.Mappings, 0, first.Mappings + 20);
        Assert.InRange(last.Threads, 0, first.Threads + 4);
        Assert.Equal(205, served.Device.Closes);
    }

    private static (int Descriptors, int Mappings, int Threads) Held() =>
        (Directory.GetFileSystemEntries("/proc/self/fd").Length,
            File.ReadLines("/proc/self/maps").Count(l => l.Contains("memfd:ram", StringComparison.Ordinal)),
            Directory.GetDirectories("/proc/self/task").Length);
}
