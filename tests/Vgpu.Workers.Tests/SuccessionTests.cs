using System.Runtime.InteropServices;
using Vgpu.Bus;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Vfio.Iommu;
using Vgpu.VfioUser;

namespace Vgpu.Workers.Tests;

/// <summary>A worker dies, and its VM does not notice: with the real program, killed.</summary>
public sealed class SuccessionTests
{
    private const ulong More = 4096;
    private const ulong MoreAt = 1UL << 40;

    [Theory]
    [InlineData("virtio-gpu", false)]
    [InlineData("virtio-gpu-gl", true)]
    public void A_client_goes_on_when_its_worker_is_killed(string type, bool renders)
    {
        using var place = new Workplace();
        InstanceDefinition desk = place.Start(type);
        using var client = new DrawingClient(place.Socket(desk), renders);
        for (int kill = 0; kill < 5; kill++)
        {
            client.Draw(kill);
            int before = place.Pid(desk);
            place.Kill(desk);

            // Not told, not asked: the same connection, the same interrupts, the same memory.
            Assert.Equal(0x1050_1af4u, client.Remote.Client.RegionRead<uint>(7, 0));
            client.Draw(100 + kill);
            AssertShows(place, desk, client);
            Workplace.Eventually(() => place.Pid(desk) != before);
        }

        Assert.Equal(5, place.Host.Status(desk.Uuid)!.Successions);
    }

    [Fact]
    public void Another_daemon_takes_workers_over_and_can_lose_them()
    {
        using var place = new Workplace();
        InstanceDefinition desk = place.Start();
        using var client = new DrawingClient(place.Socket(desk));
        client.Draw(1);
        int pid = place.Pid(desk);

        Assert.Equal([desk.Uuid], place.Restart(desk.Uuid));
        client.Draw(2);
        Assert.Equal(pid, place.Pid(desk));

        place.Kill(desk);
        client.Draw(3);
        AssertShows(place, desk, client);
    }

    [Fact]
    public void A_worker_that_comes_before_the_daemon_asks_is_taken_over_with_what_it_told()
    {
        using var place = new Workplace();
        InstanceDefinition desk = place.Start();
        using var client = new DrawingClient(place.Socket(desk));
        client.Draw(1);
        int pid = place.Host.Status(desk.Uuid)!.Pid;
        place.Replace();

        // A worker that waits is later to come than one that has been there.
        IReadOnlyList<int> before = place.Workers;
        Workplace.Eventually(() => place.Workers.Except(before).Any());
        Assert.Equal([desk.Uuid], place.Host.Adopt([desk.Uuid], TimeSpan.FromSeconds(30)));

        Assert.Equal((pid, Environment.ProcessId, 0), place.Host.Status(desk.Uuid) is { } status ? (status.Pid, status.ClientPid, status.Successions) : default);
        client.Draw(2);
        AssertShows(place, desk, client);
        Assert.Equal(pid, place.Pid(desk));
    }

    [Fact]
    public void Frames_and_viewed_pixels_are_counted_on_by_the_next_worker_and_found_by_the_next_daemon()
    {
        const ulong Picture = DrawingClient.Width * DrawingClient.Height * 4;
        using var place = new Workplace();
        InstanceDefinition desk = place.Start();
        Assert.Equal((0UL, 0UL), Counted());
        using var client = new DrawingClient(place.Socket(desk));
        client.Draw(1);
        client.Draw(2);
        Assert.Equal((2UL, 0UL), Counted());
        _ = place.Shot(desk);
        Assert.Equal((2UL, Picture), Counted());
        ulong? cpu = place.Host.Status(desk.Uuid)!.CpuNanoseconds;
        Assert.InRange(cpu!.Value, 1UL, (ulong)Environment.TickCount64 * 1_000_000 * (ulong)Environment.ProcessorCount);

        place.Kill(desk);
        client.Draw(3);
        Assert.Equal((3UL, Picture), Counted());
        place.Restart(desk.Uuid);
        Assert.Equal((3UL, Picture), Counted());
        client.Draw(4);
        Assert.Equal((4UL, Picture), Counted());
        place.Host.Stop(desk.Uuid);
        Assert.Null(place.Host.Status(desk.Uuid));

        (ulong, ulong) Counted()
        {
            Workplace.Eventually(() => place.Host.Status(desk.Uuid)?.Frames is not null);
            WorkerStatus status = place.Host.Status(desk.Uuid)!;
            return (status.Frames!.Value, status.ViewedBytes!.Value);
        }
    }

    [Fact]
    public void A_worker_that_is_stopped_is_replaced()
    {
        using var place = new Workplace();
        InstanceDefinition desk = place.Start();
        using var client = new DrawingClient(place.Socket(desk));
        client.Draw(1);
        place.Kill(desk, "STOP");
        client.Draw(2);
        AssertShows(place, desk, client);
    }

    [Fact]
    public void A_device_that_ends_its_workers_is_reset_and_at_last_given_up()
    {
        using var place = new Workplace();
        InstanceDefinition desk = place.Start();
        using var remote = new RemoteDevice(place.Socket(desk));
        remote.Client.RegionWrite<ushort>(7, 4, 6);
        bool wasReset = false;
        for (int deaths = 0; !HasFailed(); deaths++)
        {
            Assert.True(deaths < 100, "a device that ended 100 workers is served still");
            int pid = place.Pid(desk);
            place.Kill(desk);
            Workplace.Eventually(() => HasFailed() || place.Host.Status(desk.Uuid) is { } status && status.Pid != pid);
            wasReset |= !HasFailed() && remote.Client.RegionRead<ushort>(7, 4) == 0;
        }

        Assert.True(wasReset);
        Assert.Throws<VfioUserException>(() => remote.Client.RegionRead<ushort>(7, 4));
        Assert.Null(place.Host.Status(desk.Uuid));
        Assert.False(Directory.Exists(place.Host.Paths(desk.Uuid).Folder));

        bool HasFailed()
        {
            lock (place.Events)
            {
                return place.Events.Exists(happened => happened.Kind == WorkerEventKind.Failed);
            }
        }
    }

    [Fact]
    public void A_worker_that_found_its_daemon_not_reading_comes_back_to_it()
    {
        using var place = new Workplace();
        Assert.Empty(place.Host.Adopt([], TimeSpan.Zero));
        using var reads = new ManualResetEventSlim();
        InstanceDefinition desk = place.Start();
        int pid = place.Pid(desk);

        // The first thing that is reported of the client holds the daemon's thread up.
        place.Host.Reported += _ => reads.Wait();
        using var client = new DrawingClient(place.Socket(desk));
        using var memory = MemFd.Create("more", More);
        for (int i = 0; i < 5000; i++)
        {
            client.Remote.Client.DmaMap(MoreAt, More, IommuProtection.IOMMU_READ, memory);
            client.Remote.Client.DmaUnmap(MoreAt, More);
        }

        client.Draw(1);
        reads.Set();
        place.Log.WaitFor("is back");
        Assert.Equal((pid, 0), place.Host.Status(desk.Uuid) is { } status ? (status.Pid, status.Successions) : default);
        client.Draw(2);
        place.Kill(desk);
        client.Draw(3);
        AssertShows(place, desk, client);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_a_guest_had_before_its_quota_was_lowered_stays_its_own(bool killed)
    {
        using var place = new Workplace();
        InstanceDefinition desk = place.Start();
        using var client = new DrawingClient(place.Socket(desk));
        client.Hold(100, 2048, 2048);
        place.Host.Configure(desk with { Settings = new SortedDictionary<string, string> { ["memory_limit"] = "8388608" } });
        if (killed)
        {
            place.Kill(desk);
        }
        else
        {
            place.Host.Upgrade(desk.Uuid);
        }

        client.Draw(1);
        AssertShows(place, desk, client);
        Workplace.Eventually(() => place.Host.Status(desk.Uuid) is { MemoryLimit: 8 << 20, MemoryUsed: > 16 << 20 });
        Assert.DoesNotContain(place.Events, happened => happened.Kind == WorkerEventKind.Reset);
    }

    [Theory]
    [InlineData("virtio-gpu", false)]
    [InlineData("virtio-gpu-gl", true)]
    public void An_upgrade_changes_the_process_and_nothing_else(string type, bool renders)
    {
        using var place = new Workplace();
        InstanceDefinition desk = place.Start(type);
        using var client = new DrawingClient(place.Socket(desk), renders);
        client.Draw(1);
        int pid = place.Pid(desk);
        place.Host.Upgrade(desk.Uuid);
        // What could not be handed over is drawn anew from what the guest has, which may be a moment after the successor serves.
        Workplace.Eventually(() => Shows(place, desk, client), "the guest's picture did not come back");
        client.Draw(2);
        AssertShows(place, desk, client);
        Workplace.Eventually(() => place.Pid(desk) != pid);
        Assert.DoesNotContain(place.Events, happened => happened.Kind == WorkerEventKind.Fault);
    }

    [Fact]
    public void Nothing_is_left_of_an_instance_that_was_stopped()
    {
        using var place = new Workplace();
        InstanceDefinition desk = place.Start();
        using (new DrawingClient(place.Socket(desk)))
        {
            int pid = place.Pid(desk);
            place.Host.Stop(desk.Uuid);
            Workplace.Eventually(() => !place.Workers.Contains(pid));
        }

        Assert.False(Directory.Exists(place.Host.Paths(desk.Uuid).Folder));
        Assert.Null(place.Host.Status(desk.Uuid));
    }

    [Fact]
    public void Nobody_serves_what_nobody_expects()
    {
        using var place = new Workplace();
        InstanceDefinition desk = place.Start();
        int pid = place.Pid(desk);
        Assert.Empty(place.Restart());
        Workplace.Eventually(() => !place.Workers.Contains(pid));
        Assert.False(Directory.Exists(place.Host.Paths(desk.Uuid).Folder));
    }

    [Theory]
    [InlineData("memory_limit", "134217728")]
    [InlineData("heads", "2")]
    public void A_setting_is_in_force_when_it_was_set(string name, string value)
    {
        using var place = new Workplace();
        InstanceDefinition desk = place.Start();
        place.Host.Configure(desk with { Settings = new SortedDictionary<string, string> { [name] = value } });
        using var client = new DrawingClient(place.Socket(desk));
        client.Draw(1);
        Workplace.Eventually(() => name == "heads"
            ? place.Host.Status(desk.Uuid)!.Modes.Count == 2
            : place.Host.Status(desk.Uuid)!.MemoryLimit == 128 << 20);
    }

    [Fact]
    public void Another_device_is_not_put_under_a_client()
    {
        using var place = new Workplace();
        InstanceDefinition desk = place.Start();
        using var client = new DrawingClient(place.Socket(desk));
        BusException refused = Assert.Throws<BusException>(
            () => place.Host.Configure(desk with { Settings = new SortedDictionary<string, string> { ["heads"] = "2" } }));
        Assert.Equal(BusError.Busy, refused.Error);
        client.Draw(1);
    }

    private static void AssertShows(Workplace place, InstanceDefinition desk, DrawingClient client)
    {
        Picture shown = Assert.IsType<Picture>(place.Shot(desk));
        Assert.Equal((DrawingClient.Width, DrawingClient.Height), (shown.Width, shown.Height));
        Assert.True(SamePixels(shown, client.Pixels), "another picture than the guest's");
    }

    private static bool Shows(Workplace place, InstanceDefinition desk, DrawingClient client) =>
        place.Shot(desk) is { } shown && SamePixels(shown, client.Pixels);

    // But for the byte that no format has.
    private static bool SamePixels(Picture picture, ReadOnlySpan<byte> pixels)
    {
        ReadOnlySpan<uint> shown = MemoryMarshal.Cast<byte, uint>(picture.Pixels.Span);
        ReadOnlySpan<uint> drawn = MemoryMarshal.Cast<byte, uint>(pixels);
        if (shown.Length != drawn.Length)
        {
            return false;
        }

        for (int i = 0; i < drawn.Length; i++)
        {
            if (((shown[i] ^ drawn[i]) & 0xff_ffff) != 0)
            {
                return false;
            }
        }

        return true;
    }
}
