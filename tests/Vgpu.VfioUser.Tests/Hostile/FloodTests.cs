using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.VfioUser.Messages;
using static Vgpu.VfioUser.Messages.VfioUserCommand;

namespace Vgpu.VfioUser.Tests.Hostile;

// Clients that never stop, or never read; a device beside theirs in the same process answers all the while.
[Collection(nameof(Alone))]
public sealed class FloodTests : IDisposable
{
    private const int RoundTrips = 300;
    private const VfioUserFlags Posted = VfioUserFlags.VFIO_USER_NO_REPLY;

    private readonly OddDescriptors _odd = new();
    private readonly ServedDevice _other = new();
    private readonly VfioUserClient _neighbour;

    public FloodTests()
    {
        _neighbour = _other.Negotiated();
        _ = _odd[DescriptorKind.Memory];
    }

    public void Dispose()
    {
        _neighbour.Dispose();
        _other.Dispose();
        _odd.Dispose();
    }

    [Fact]
    public void Posted_writes_without_end() => Flood((client, _) => client.Send(1, VFIO_USER_REGION_WRITE, Wire.Write(0, 0, 4, 1, 2, 3, 4), Posted));

    [Fact]
    public void Posted_writes_of_a_megabyte_without_end()
    {
        byte[] write = Wire.Write(FakeDevice.Large, 0, 1 << 20, new byte[1 << 20]);
        Flood((client, _) => client.Send(1, VFIO_USER_REGION_WRITE, write, Posted));
    }

    [Fact]
    public void Posted_faults_without_end()
    {
        HostileCase[] faults = [.. HostileCases.Refusals.Where(c => c.Descriptors.Length == 0 && c.Bytes.Length < 1000)];
        Flood((client, i) => client.Send(1, faults[i % faults.Length].Command, faults[i % faults.Length].Bytes.AsSpan(VfioUserHeader.Length), Posted));
    }

    [Fact]
    public void Posted_maps_and_unmaps_without_end() => Flood((client, i) => client.Send(
        1,
        i % 2 == 0 ? VFIO_USER_DMA_MAP : VFIO_USER_DMA_UNMAP,
        i % 2 == 0 ? Requests.Map(0, 4096) : Requests.Unmap(0, 4096),
        Posted,
        i % 2 == 0 ? [_odd[DescriptorKind.Memory]] : []));

    [Fact]
    public void Descriptors_that_nobody_asked_for_without_end()
    {
        FileDescriptor[] many = [.. Enumerable.Repeat(_odd[DescriptorKind.Memory], 200)];
        Flood((client, _) => client.Send(1, VFIO_USER_DEVICE_RESET, [], Posted, many));
    }

    [Fact]
    public void Resets_without_end() => Flood((client, _) => client.Send(1, VFIO_USER_DEVICE_RESET, [], Posted));

    [Fact]
    public void Small_replies_that_nobody_reads() => Flood((client, _) => client.Send(1, VFIO_USER_REGION_READ, Wire.Read(0, 0, 4)));

    [Fact]
    public void Replies_of_a_megabyte_that_nobody_reads() => Flood((client, _) => client.Send(1, VFIO_USER_REGION_READ, Wire.Read(FakeDevice.Large, 0, 1 << 20)));

    [Fact]
    public void Error_replies_that_nobody_reads() => Flood((client, _) => client.Send(1, 0, []));

    [Fact]
    public void Replies_with_descriptors_that_nobody_reads() =>
        Flood((client, _) => client.Send(1, VFIO_USER_DEVICE_GET_REGION_INFO, Requests.RegionInfo(FakeDevice.Framebuffer)));

    [Fact]
    public void Bytes_that_are_no_header_end_at_once()
    {
        Holdings before = Holdings.Now();
        using (var served = new ServedDevice())
        {
            for (int i = 0; i < 500; i++)
            {
                using VfioUserClient client = served.Connect();
                client.SendRaw([.. Enumerable.Repeat((byte)i, 64)]);
                ServedDevice.AssertClosed(client);
                AssertNeighbour(1);
            }
        }

        Holdings.AssertBackTo(before, "500 clients");
    }

    [Fact]
    public void Second_clients_without_end_change_nothing_for_the_first()
    {
        Holdings before = Holdings.Now();
        using (var served = new ServedDevice())
        using (VfioUserClient first = served.Negotiated())
        {
            for (int i = 0; i < 500; i++)
            {
                using VfioUserClient second = served.Connect();
                first.RegionWrite(0, 0, i);
                ServedDevice.AssertClosed(second);
                Assert.Equal(i, first.RegionRead<int>(0, 0));
                AssertNeighbour(1);
            }

            Assert.InRange(served.Log.Lines.Count, 1, 23);
        }

        Holdings.AssertBackTo(before, "500 second clients");
    }

    [Fact]
    public void One_map_more_than_there_may_be()
    {
        using var served = new ServedDevice();
        using VfioUserClient client = served.Negotiated();
        for (uint i = 0; i < VfioUserLimits.MaxDmaMaps; i++)
        {
            client.Send(1, VFIO_USER_DMA_MAP, Requests.Map(i * 8192UL, 4096), Posted);
        }

        client.Send(2, VFIO_USER_DMA_MAP, Requests.Map(1UL << 40, 4096), 0, _odd[DescriptorKind.Memory]);
        ServedDevice.AssertRefused(client, 2, VFIO_USER_DMA_MAP, Errno.ENOSPC);
        Assert.Equal((VfioUserLimits.MaxDmaMaps, 1L), (served.Device.Iommu.MapCount, served.Server.Counters.Refusals));
        AssertNeighbour(RoundTrips);
        client.DmaUnmap(0, 0, DmaUnmapFlags.VFIO_DMA_UNMAP_FLAG_ALL);
        client.DmaMap(1UL << 40, 4096, Vgpu.Vfio.Iommu.IommuProtection.IOMMU_READ, _odd[DescriptorKind.Memory]);
    }

    [Fact]
    public void More_files_than_a_process_could_map()
    {
        // Each costs the process a mapping of its own, of which the kernel gives it 65,530 for everything.
        using var served = new ServedDevice();
        using VfioUserClient client = served.Negotiated();
        int mapped = 0;
        Errno errno = Errno.None;
        while (errno == Errno.None && mapped < 20_000)
        {
            using var file = MemFd.Create("one of many", 4096);
            try
            {
                client.DmaMap((ulong)mapped * 8192, 4096, Vgpu.Vfio.Iommu.IommuProtection.IOMMU_READ, file);
                mapped++;
            }
            catch (VfioUserException e)
            {
                errno = e.Errno;
            }
        }

        Assert.Equal((8192, Errno.ENOSPC), (mapped, errno));
        client.DmaUnmap(0, 4096);
        client.DmaMap(0, 4096, Vgpu.Vfio.Iommu.IommuProtection.IOMMU_READ, _odd[DescriptorKind.Memory]);
        AssertNeighbour(RoundTrips);
    }

    // Says it again and again, until the server has been ended under it; the neighbour is answered meanwhile.
    private void Flood(Action<VfioUserClient, int> say)
    {
        Holdings before = Holdings.Now();
        var served = new ServedDevice();
        using (VfioUserClient client = served.Negotiated())
        {
            using var begun = new ManualResetEventSlim();
            VfioUserException? end = null;
            var flood = new Thread(() =>
            {
                try
                {
                    for (int i = 0; ; i++)
                    {
                        say(client, i);
                        begun.Set();
                    }
                }
                catch (VfioUserException e)
                {
                    end = e;
                }
            });
            flood.Start();
            begun.Wait();
            AssertNeighbour(RoundTrips);

            // Also with a client that reads nothing, whose connection waits in a send.
            var ending = new Thread(served.Dispose);
            ending.Start();
            Assert.True(ending.Join(TimeSpan.FromSeconds(60)), "the server waits for its client");
            flood.Join();
            Assert.Contains(end!.Errno, new[] { Errno.EPIPE, Errno.ECONNRESET });
            Assert.Equal((1, 0), (served.Device.Closes, served.Device.Iommu.MapCount));
            Assert.InRange(served.Log.Lines.Count, 1, 25);
        }

        Holdings.AssertBackTo(before, "the flood");
    }

    private void AssertNeighbour(int roundTrips)
    {
        for (int i = 0; i < roundTrips; i++)
        {
            _neighbour.RegionWrite(0, 64, i);
            Assert.Equal(i, _neighbour.RegionRead<int>(0, 64));
        }
    }
}
