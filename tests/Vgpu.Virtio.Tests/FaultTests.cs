// What a hostile driver does to a ring, and the exact outcome: DEVICE_NEEDS_RESET and a configuration interrupt, nothing
// of the broken chain used, the device as good as new after a reset, and another device untouched.
using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.Vfio.Iommu;
using static Vgpu.Virtio.VirtioFeatures;
using static Vgpu.Virtio.VirtioPci;
using static Vgpu.Virtio.VirtioRing;

namespace Vgpu.Virtio.Tests;

public sealed class FaultTests
{
    private static readonly Dictionary<string, Action<Rig>> _faults = new()
    {
        ["a loop of one descriptor"] = rig =>
        {
            rig.Queue.Set(0, rig.In, 8, VRING_DESC_F_NEXT, 0);
            rig.Queue.Offer(0);
        },
        ["a loop of two descriptors"] = rig =>
        {
            rig.Queue.Set(0, rig.In, 8, VRING_DESC_F_NEXT, 1);
            rig.Queue.Set(1, rig.In, 8, VRING_DESC_F_NEXT, 0);
            rig.Queue.Offer(0);
        },
        ["next beyond the table"] = rig =>
        {
            rig.Queue.Set(0, rig.In, 8, VRING_DESC_F_NEXT, 16);
            rig.Queue.Offer(0);
        },
        ["head beyond the table"] = rig => rig.Queue.Offer(16),
        ["head far beyond the table"] = rig => rig.Queue.Offer(0xffff),
        ["available index jumps"] = rig => rig.Queue.AvailableIndex = 17,
        ["available index goes back"] = rig => rig.Queue.AvailableIndex = 0xffff,
        ["readable after writable"] = rig => rig.Queue.Add(new GuestBuffer(rig.Out, 8, true), new GuestBuffer(rig.In, 8)),
        ["no bytes"] = rig => rig.Queue.Add(new GuestBuffer(rig.In, 0)),
        ["address wraps"] = rig => rig.Queue.Add(new GuestBuffer(ulong.MaxValue - 3, 8)),
        ["address not mapped"] = rig => rig.Queue.Add(new GuestBuffer(0x1000, 8)),
        ["address 0"] = rig => rig.Queue.Add(new GuestBuffer(0, 8, true)),
        ["length beyond the map"] = rig => rig.Queue.Add(new GuestBuffer(rig.In, uint.MaxValue)),
        ["last byte beyond the map"] = rig => rig.Queue.Add(new GuestBuffer(FakeGuest.SecondPiece + FakeGuest.PieceSize - 8, 9)),
        ["indirect length 0"] = rig => Indirect(rig, 0),
        ["indirect length no multiple of 16"] = rig => Indirect(rig, 24),
        ["indirect length below one entry"] = rig => Indirect(rig, 8),
        ["indirect table too long"] = rig => Indirect(rig, (ChainWalk.MaxIndirect + 1) * 16),
        ["indirect table of 4 GiB"] = rig => Indirect(rig, 0xfffffff0),
        ["indirect with next"] = rig =>
        {
            Indirect(rig, 16);
            rig.Queue.Set(0, rig.Guest.Allocate(16), 16, VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT, 1);
        },
        ["indirect in indirect"] = rig => Indirect(rig, 16, VRING_DESC_F_INDIRECT),
        ["indirect next beyond its table"] = rig => Indirect(rig, 16, VRING_DESC_F_NEXT, 1),
        ["indirect loop"] = rig => Indirect(rig, 16, VRING_DESC_F_NEXT, 0),
        ["indirect table not mapped"] = rig =>
        {
            rig.Queue.Set(0, 0x1000, 16, VRING_DESC_F_INDIRECT);
            rig.Queue.Offer(0);
        },
        ["indirect table wraps"] = rig =>
        {
            rig.Queue.Set(0, ulong.MaxValue - 7, 16, VRING_DESC_F_INDIRECT);
            rig.Queue.Offer(0);
        },
    };

    public static TheoryData<string> Faults => [.. _faults.Keys];

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_broken_ring_needs_a_reset_and_nothing_else(string fault)
    {
        using var rig = new Rig();
        using var other = new Rig();
        rig.Start();
        other.Start();
        rig.Echo();
        rig.Driver.Reset();
        rig.Start();
        int handled = 0;
        rig.Device.Handle = (_, queue, chain) =>
        {
            handled++;
            queue.Push(chain.Head, 0);
        };

        _faults[fault](rig);
        rig.Driver.Kick(rig.Queue);

        rig.Driver.WaitFor(() => rig.Driver.NeedsReset);
        Assert.Equal(0, handled);
        Assert.Equal(0, rig.Queue.UsedIndex);
        other.Echo();
        Assert.False(other.Driver.NeedsReset);

        // Until the reset the device does nothing.
        rig.Second.Add(new GuestBuffer(rig.In, 8), new GuestBuffer(rig.Out, 8, true));
        rig.Driver.Kick(rig.Second);
        rig.Driver.Reset();
        Assert.Equal(0, rig.Second.UsedIndex);
        rig.Device.Handle = null;
        rig.Start();
        rig.Echo();
        rig.Echo(rig.Second);
    }

    [Theory]
    [InlineData(1000, 1, false)]
    [InlineData(1000, 2, true)]
    [InlineData(2000, 1, true)]
    public void A_chain_in_too_many_pieces_of_memory_needs_a_reset(int pages, int descriptors, bool broken)
    {
        const ulong iova = 0x9000_0000;
        using var rig = new Rig();
        using FileDescriptor file = MemFd.Create("guest-pieces", 2 * 4096 * (ulong)pages);
        for (ulong i = 0; i < (ulong)pages; i++)
        {
            Assert.Equal(Errno.None, rig.Guest.Iommu.Map(iova + (i * 4096), 4096, IommuProtection.IOMMU_READ, file.Duplicate(), i * 8192));
        }

        rig.Start();
        rig.Device.Handle = (_, queue, chain) => queue.Push(chain.Head, (uint)chain.ReadableRuns.Length);
        var buffers = new GuestBuffer[descriptors];
        Array.Fill(buffers, new GuestBuffer(iova, 4096 * (uint)pages));
        rig.Queue.Add(buffers);
        rig.Driver.Kick(rig.Queue);
        rig.Driver.WaitFor(() => rig.Queue.UsedIndex == 1 || rig.Driver.NeedsReset);
        Assert.Equal(broken, rig.Driver.NeedsReset);
        Assert.Equal(broken ? 0 : 1, rig.Queue.UsedIndex);
    }

    [Fact]
    public void A_chain_as_long_as_its_queue_is_whole()
    {
        using var rig = new Rig();
        rig.Start();
        var buffers = new GuestBuffer[16];
        Array.Fill(buffers, new GuestBuffer(rig.In, 1), 0, 8);
        Array.Fill(buffers, new GuestBuffer(rig.Out, 1, true), 8, 8);
        rig.Queue.Add(buffers);
        rig.Driver.Kick(rig.Queue);
        rig.Driver.WaitUsed(rig.Queue, 1);
        Assert.Equal((0u, 8u), rig.Queue.UsedEntry(0));
    }

    [Fact]
    public void An_indirect_table_longer_than_the_queue_is_whole()
    {
        using var rig = new Rig();
        rig.Start();
        ulong table = rig.Guest.Allocate(ChainWalk.MaxIndirect * 16);
        for (int i = 0; i < ChainWalk.MaxIndirect; i++)
        {
            int flags = (i < 512 ? 0 : VRING_DESC_F_WRITE) | (i < ChainWalk.MaxIndirect - 1 ? VRING_DESC_F_NEXT : 0);
            rig.Guest.SetDescriptor(table, i, i < 512 ? rig.In + (ulong)i : rig.Out + (ulong)(i - 512), 1, (ushort)flags, (ushort)(i + 1));
        }

        Random.Shared.NextBytes(rig.Guest.At(rig.In, 512));
        rig.Queue.Set(0, table, ChainWalk.MaxIndirect * 16, VRING_DESC_F_INDIRECT);
        rig.Queue.Offer(0);
        rig.Driver.Kick(rig.Queue);
        rig.Driver.WaitUsed(rig.Queue, 1);
        Assert.Equal((0u, 512u), rig.Queue.UsedEntry(0));
        Assert.Equal(rig.Guest.At(rig.In, 512).ToArray(), rig.Guest.At(rig.Out, 512).ToArray());
    }

    [Fact]
    public void Direct_descriptors_may_come_before_an_indirect_one()
    {
        using var rig = new Rig();
        rig.Start();
        ulong table = rig.Guest.Allocate(16);
        rig.Guest.SetDescriptor(table, 0, rig.Out, 4, VRING_DESC_F_WRITE, 0);
        rig.Queue.Set(0, rig.In, 4, VRING_DESC_F_NEXT, 1);
        rig.Queue.Set(1, table, 16, VRING_DESC_F_INDIRECT);
        rig.Queue.Offer(0);
        rig.Driver.Kick(rig.Queue);
        rig.Driver.WaitUsed(rig.Queue, 1);
        Assert.Equal((0u, 4u), rig.Queue.UsedEntry(0));
    }

    [Fact]
    public void An_indirect_descriptor_that_was_not_negotiated_needs_a_reset()
    {
        using var rig = new Rig();
        rig.Start(VIRTIO_F_VERSION_1);
        Indirect(rig, 16);
        rig.Driver.Kick(rig.Queue);
        rig.Driver.WaitFor(() => rig.Driver.NeedsReset);
    }

    [Fact]
    public void A_buffer_may_straddle_two_maps()
    {
        using var rig = new Rig();
        rig.Start();
        ulong across = FakeGuest.SecondPiece - 3;
        "abc"u8.CopyTo(rig.Guest.At(across, 3));
        "defg"u8.CopyTo(rig.Guest.At(FakeGuest.SecondPiece, 4));
        rig.Queue.Add(new GuestBuffer(across, 7), new GuestBuffer(rig.Out, 7, true));
        rig.Driver.Kick(rig.Queue);
        rig.Driver.WaitUsed(rig.Queue, 1);
        Assert.Equal("abcdefg"u8.ToArray(), rig.Guest.At(rig.Out, 7).ToArray());
    }

    [Fact]
    public void A_chain_made_available_twice_needs_a_reset()
    {
        using var rig = new Rig();
        rig.Device.Handle = (_, _, _) => { };
        rig.Start();
        rig.Queue.Add(new GuestBuffer(rig.In, 8));
        rig.Queue.Offer(0);
        rig.Driver.Kick(rig.Queue);
        rig.Driver.WaitFor(() => rig.Driver.NeedsReset);
    }

    [Theory]
    [InlineData(VIRTIO_PCI_COMMON_Q_DESCLO, 8)]
    [InlineData(VIRTIO_PCI_COMMON_Q_AVAILLO, 1)]
    [InlineData(VIRTIO_PCI_COMMON_Q_USEDLO, 2)]
    public void A_ring_that_is_not_aligned_needs_a_reset(int register, int off)
    {
        using var rig = new Rig();
        Assert.True(rig.Driver.Negotiate(Rig.Features));
        rig.Driver.Write32(0, rig.Driver.Common(register), (uint)FakeGuest.Base + (uint)off);
        rig.Driver.Write16(0, rig.Driver.Common(VIRTIO_PCI_COMMON_Q_ENABLE), 1);
        Assert.True(rig.Driver.NeedsReset);
        rig.Driver.Reset();
        rig.Start();
        rig.Echo();
    }

    [Fact]
    public void Rings_that_are_not_mapped_need_a_reset()
    {
        using var rig = new Rig();
        Assert.True(rig.Driver.Negotiate(Rig.Features));
        rig.Driver.Write16(0, rig.Driver.Common(VIRTIO_PCI_COMMON_Q_ENABLE), 1);
        rig.Driver.Ready();
        rig.Driver.WaitFor(() => rig.Driver.NeedsReset);
    }

    [Fact]
    public void A_device_that_throws_needs_a_reset_and_lives_on()
    {
        using var rig = new Rig();
        rig.Start();
        rig.Device.Handle = (_, _, _) => throw new InvalidOperationException("a bug");
        rig.Queue.Add(new GuestBuffer(rig.In, 8));
        rig.Driver.Kick(rig.Queue);
        rig.Driver.WaitFor(() => rig.Driver.NeedsReset);
        rig.Device.Handle = null;
        rig.Driver.Reset();
        rig.Start();
        rig.Echo();
    }

    [Fact]
    public void A_storm_of_notifications_is_one_piece_of_work()
    {
        using var rig = new Rig();
        rig.Start();
        for (int i = 0; i < 200_000; i++)
        {
            rig.Driver.Kick(rig.Second);
        }

        rig.Echo();
    }

    private static void Indirect(Rig rig, uint length, int flags = 0, ushort next = 0)
    {
        ulong table = rig.Guest.Allocate(16);
        rig.Guest.SetDescriptor(table, 0, rig.In, 8, (ushort)flags, next);
        rig.Queue.Set(0, table, length, VRING_DESC_F_INDIRECT);
        rig.Queue.Offer(0);
    }
}
