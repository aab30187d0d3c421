// The modern transport: discovery, status handshake, queue set-up, device configuration, odd accesses.
using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.Vfio;
using static Vgpu.Virtio.VirtioFeatures;
using static Vgpu.Virtio.VirtioPci;
using static Vgpu.Virtio.VirtioStatus;

namespace Vgpu.Virtio.Tests;

public sealed class TransportTests
{
    [Fact]
    public void The_function_is_a_modern_virtio_device()
    {
        using var rig = new Rig();
        Assert.Equal(0x106a_1af4u, rig.Driver.Read32(7, 0));
        Assert.Equal(0x0380_0001u, rig.Driver.Read32(7, 8));
        Assert.Equal(0x1100_1af4u, rig.Driver.Read32(7, 0x2c));
        Assert.Equal(VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | 1, rig.Driver.OfferedFeatures);
        Assert.Equal(2, rig.Driver.Read16(0, rig.Driver.Common(VIRTIO_PCI_COMMON_NUMQ)));
        Assert.Equal(VfioRegionFlags.VFIO_REGION_INFO_FLAG_READ | VfioRegionFlags.VFIO_REGION_INFO_FLAG_WRITE, rig.Function.Regions[0].Flags);
    }

    [Theory]
    [InlineData(0UL, false)]
    [InlineData(VIRTIO_F_VERSION_1, true)]
    [InlineData(VIRTIO_F_VERSION_1 | 1, true)]
    [InlineData(VIRTIO_F_VERSION_1 | 2, false)]
    [InlineData(VIRTIO_F_VERSION_1 | (1UL << 63), false)]
    public void Features_are_taken_only_where_offered(ulong features, bool taken)
    {
        using var rig = new Rig();
        Assert.Equal(taken, rig.Driver.Negotiate(features));
        rig.Driver.Ready();
        Assert.Equal(taken, (rig.Driver.Status & VIRTIO_CONFIG_S_DRIVER_OK) != 0);
        Assert.Equal(taken ? features : null, rig.Device.Active);
    }

    [Fact]
    public void Features_are_final_after_FEATURES_OK()
    {
        using var rig = new Rig();
        Assert.True(rig.Driver.Negotiate(VIRTIO_F_VERSION_1));
        rig.Driver.Write32(0, rig.Driver.Common(VIRTIO_PCI_COMMON_GFSELECT), 0);
        rig.Driver.Write32(0, rig.Driver.Common(VIRTIO_PCI_COMMON_GF), uint.MaxValue);
        rig.Driver.Ready();
        Assert.Equal(VIRTIO_F_VERSION_1, rig.Device.Active);
    }

    [Fact]
    public void Chains_go_through_and_come_back()
    {
        using var rig = new Rig();
        rig.Start();
        for (int i = 0; i < 100; i++)
        {
            rig.Echo(i % 3 == 0 ? rig.Second : rig.Queue);
        }

        Assert.False(rig.Driver.NeedsReset);
    }

    [Fact]
    public void Rings_of_other_sizes_than_the_largest()
    {
        using var rig = new Rig();
        var small = new FakeQueue(rig.Guest, 0, 2);
        rig.Driver.Start(Rig.Features | VIRTIO_F_EVENT_IDX, small);
        for (int i = 0; i < 20; i++)
        {
            rig.Echo(small);
        }

        Assert.False(rig.Driver.NeedsReset);
    }

    [Theory]
    [InlineData(0, 16)]
    [InlineData(3, 16)]
    [InlineData(32, 16)]
    [InlineData(8, 8)]
    [InlineData(1, 1)]
    public void A_queue_takes_sizes_that_it_can_have(ushort size, ushort becomes)
    {
        using var rig = new Rig();
        rig.Driver.Write16(0, rig.Driver.Common(VIRTIO_PCI_COMMON_Q_SIZE), size);
        Assert.Equal(becomes, rig.Driver.Read16(0, rig.Driver.Common(VIRTIO_PCI_COMMON_Q_SIZE)));
    }

    [Fact]
    public void A_queue_beyond_the_last_reads_as_none()
    {
        using var rig = new Rig();
        rig.Driver.Write16(0, rig.Driver.Common(VIRTIO_PCI_COMMON_Q_SELECT), 0xffff);
        Assert.Equal(0, rig.Driver.Read16(0, rig.Driver.Common(VIRTIO_PCI_COMMON_Q_SIZE)));
        rig.Driver.Write16(0, rig.Driver.Common(VIRTIO_PCI_COMMON_Q_ENABLE), 1);
        Assert.Equal(0, rig.Driver.Read16(0, rig.Driver.Common(VIRTIO_PCI_COMMON_Q_ENABLE)));
    }

    [Fact]
    public void A_queue_rewritten_while_enabled_stays_as_it_is()
    {
        using var rig = new Rig();
        rig.Start();
        rig.Driver.Write16(0, rig.Driver.Common(VIRTIO_PCI_COMMON_Q_SELECT), 0);
        rig.Driver.Write32(0, rig.Driver.Common(VIRTIO_PCI_COMMON_Q_DESCLO), 0xdead0000);
        rig.Driver.Write16(0, rig.Driver.Common(VIRTIO_PCI_COMMON_Q_SIZE), 2);
        rig.Driver.Write16(0, rig.Driver.Common(VIRTIO_PCI_COMMON_Q_ENABLE), 0);
        Assert.Equal((uint)rig.Queue.Table, rig.Driver.Read32(0, rig.Driver.Common(VIRTIO_PCI_COMMON_Q_DESCLO)));
        Assert.Equal(16, rig.Driver.Read16(0, rig.Driver.Common(VIRTIO_PCI_COMMON_Q_SIZE)));
        rig.Echo();
    }

    [Fact]
    public void Device_configuration_and_its_changes()
    {
        using var rig = new Rig();
        rig.Start();
        Assert.Equal(0x04030201u, rig.Driver.Read32(0, 0x2000));
        Assert.Equal(0x00000605u, rig.Driver.Read32(0, 0x2004));
        rig.Driver.Write16(0, 0x2004, 0x0908);
        Assert.Equal(8, rig.Device.Config[4]);
        byte generation = rig.Driver.Read8(0, rig.Driver.Common(VIRTIO_PCI_COMMON_CFGGENERATION));
        rig.Function.ConfigChanged();
        rig.Driver.WaitEvent();
        Assert.Equal(VIRTIO_PCI_ISR_CONFIG, rig.Driver.EndOfInterrupt());
        Assert.Equal(generation + 1, rig.Driver.Read8(0, rig.Driver.Common(VIRTIO_PCI_COMMON_CFGGENERATION)));
    }

    [Fact]
    public void Registers_bear_any_width_and_alignment()
    {
        using var rig = new Rig();
        rig.Start();
        var random = new Random(7);
        byte[] data = new byte[64];
        for (int i = 0; i < 20_000; i++)
        {
            int length = random.Next(0, data.Length);
            ulong offset = (ulong)random.Next(0, 0x4000 - length);
            Span<byte> part = data.AsSpan(0, length);
            random.NextBytes(part);
            Errno errno = (i & 1) == 0 ? rig.Function.ReadRegion(0, offset, part) : rig.Function.WriteRegion(0, offset, part);
            Assert.Equal(length == 0 ? errno : Errno.None, errno);
        }

        rig.Function.Reset();
        using var driver = new FakeDriver(rig.Function);
        driver.Start(Rig.Features, rig.Queue);
        rig.Queue.Add(new GuestBuffer(rig.In, 4), new GuestBuffer(rig.Out, 4, true));
        driver.Kick(rig.Queue);
        driver.WaitUsed(rig.Queue, 1);
    }

    [Fact]
    public void Notifications_of_queues_that_are_not_there_are_nothing()
    {
        using var rig = new Rig();
        rig.Start();
        for (int offset = 0x3000; offset < 0x4000; offset += 2)
        {
            rig.Driver.Write16(0, offset, 0xffff);
        }

        rig.Echo();
    }

    [Fact]
    public void The_window_in_config_space_reaches_the_registers()
    {
        using var rig = new Rig();
        int window = rig.Driver.Window;
        Assert.NotEqual(0, window);
        Assert.Equal(0u, rig.Driver.Read32(7, window + 16));
        Point(VIRTIO_PCI_COMMON_NUMQ, 2);
        Assert.Equal(2u, rig.Driver.Read32(7, window + 16));
        Point(VIRTIO_PCI_COMMON_STATUS, 1);
        rig.Driver.Write32(7, window + 16, VIRTIO_CONFIG_S_ACKNOWLEDGE);
        Assert.Equal(VIRTIO_CONFIG_S_ACKNOWLEDGE, rig.Driver.Status);

        // Where it can not lie it reads what was there and writes nothing.
        Point(0x4000, 4);
        rig.Driver.Write32(7, window + 16, 0x11223344);
        Assert.Equal(0x11223344u, rig.Driver.Read32(7, window + 16));
        Point(0xffffffff, 4);
        rig.Driver.Write32(7, window + 16, 0);
        Point(VIRTIO_PCI_COMMON_STATUS, 3);
        rig.Driver.Write32(7, window + 16, 0);
        Assert.Equal(VIRTIO_CONFIG_S_ACKNOWLEDGE, rig.Driver.Status);

        void Point(uint offset, uint length)
        {
            rig.Driver.Write8(7, window + 4, 0);
            rig.Driver.Write32(7, window + 8, offset);
            rig.Driver.Write32(7, window + 12, length);
        }
    }

    [Fact]
    public void Random_writes_to_config_space_do_no_harm()
    {
        using var rig = new Rig();
        rig.Start();
        var random = new Random(3);
        byte[] data = new byte[16];
        for (int i = 0; i < 50_000; i++)
        {
            Span<byte> part = data.AsSpan(0, random.Next(1, data.Length));
            random.NextBytes(part);
            Assert.Equal(Errno.None, rig.Function.WriteRegion(7, (ulong)random.Next(256), part));
            Assert.Equal(Errno.None, rig.Function.ReadRegion(7, (ulong)random.Next(256), part));
        }

        rig.Function.Reset();
        rig.Driver.Write16(7, 4, 6);
        rig.Start();
        rig.Echo();
    }
}
