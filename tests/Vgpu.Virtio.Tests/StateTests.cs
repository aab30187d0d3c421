// A virtio function's state: registers and queues go on where they were, on another function with the same memory.
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Linux;
using Vgpu.Pci;
using Vgpu.Testing;
using Vgpu.Vfio.Iommu;
using Vgpu.Vfio.Migration;
using static Vgpu.Virtio.VirtioFeatures;
using static Vgpu.Virtio.VirtioPci;

namespace Vgpu.Virtio.Tests;

public sealed class StateTests
{
    private const ulong EventIndex = Rig.Features | VIRTIO_F_EVENT_IDX;

    [Fact]
    public void A_device_that_saves_nothing_stays()
    {
        using var rig = new Rig();
        Assert.False(rig.Function.Migration.IsSupported);
    }

    [Theory]
    [InlineData(Rig.Features)]
    [InlineData(EventIndex)]
    public void Queues_go_on_where_they_were(ulong features)
    {
        using var from = new Rig(device: new MovingDevice());
        from.Start(features);
        for (int i = 0; i < 20; i++)
        {
            from.Echo();
        }

        from.Echo(from.Second);
        from.Device.Config[0] = 77;
        byte[] state = Move.Save(from.Function);
        using var to = new Rig(from, new MovingDevice());
        Assert.Equal(Errno.None, Move.Load(to.Function, state));
        Assert.Equal(state, Move.Save(to.Function));
        Assert.Equal(features, to.Device.Active);
        Assert.Equal(77, to.Device.Config[0]);
        for (int register = 0; register < VirtioCommonConfig.Length; register += 2)
        {
            Assert.Equal(from.Driver.Read16(0, from.Driver.Common(register)), to.Driver.Read16(0, to.Driver.Common(register)));
        }

        Move.Run(to.Function);
        for (int i = 0; i < 20; i++)
        {
            to.Echo();
            to.Echo(to.Second);
        }
    }

    [Theory]
    [InlineData(Rig.Features)]
    [InlineData(EventIndex)]
    public void A_chain_that_came_while_stopped_is_answered_once_by_the_other(ulong features)
    {
        using var from = new Rig(device: new MovingDevice());
        from.Start(features);
        from.Echo();
        Assert.Equal(Errno.None, from.Function.Migration.SetDeviceState(VfioDeviceState.VFIO_DEVICE_STATE_STOP));
        ushort head = from.Queue.Add(new GuestBuffer(from.In, 16), new GuestBuffer(from.Out, 64, Writable: true));
        from.Queue.UsedEvent = from.Queue.UsedIndex;
        from.Driver.Kick(from.Queue);
        byte[] state = Move.Save(from.Function);
        using var to = new Rig(from, new MovingDevice());
        Assert.Equal(Errno.None, Move.Load(to.Function, state));
        Assert.Equal(1, from.Queue.UsedIndex);
        Move.Run(to.Function);
        to.Driver.WaitUsed(to.Queue, 2);
        Assert.Equal((head, 16u), to.Queue.UsedEntry(1));
        to.Echo();
        Assert.Equal(3, to.Queue.UsedIndex);
    }

    [Fact]
    public void A_chain_that_came_while_stopped_is_answered_where_it_goes_on()
    {
        using var rig = new Rig(device: new MovingDevice());
        rig.Start();
        _ = Move.Save(rig.Function);
        rig.Queue.Add(new GuestBuffer(rig.In, 16), new GuestBuffer(rig.Out, 64, Writable: true));
        rig.Driver.Kick(rig.Queue);
        _ = rig.Driver.Status;
        Assert.Equal(0, rig.Queue.UsedIndex);
        Move.Run(rig.Function);
        rig.Driver.WaitUsed(rig.Queue, 1);
        rig.Echo();
    }

    [Fact]
    public void What_is_pushed_while_stopped_waits_and_moves_along()
    {
        var device = new MovingDevice();
        using var from = new Rig(device: device);
        Virtqueue? held = null;
        using var taken = new ManualResetEventSlim();
        device.Handle = (_, queue, _) =>
        {
            held = queue;
            taken.Set();
        };
        from.Start();
        ushort head = from.Queue.Add(new GuestBuffer(from.Out, 64, Writable: true));
        from.Driver.Kick(from.Queue);
        Assert.True(taken.Wait(FakeDriver.Timeout));
        byte[] holding = Move.Save(from.Function);
        lock (from.Function.Lock)
        {
            held!.Push(head, 7);
        }

        Assert.Equal(0, from.Queue.UsedIndex);
        byte[] done = Move.Save(from.Function);
        using (var to = new Rig(from, new MovingDevice()))
        {
            Assert.Equal(Errno.None, Move.Load(to.Function, done));
            Assert.Equal(done, Move.Save(to.Function));
            Move.Run(to.Function);
            to.Driver.WaitUsed(to.Queue, 1);
            Assert.Equal((head, 7u), to.Queue.UsedEntry(0));
            to.Echo();
        }

        // The same of a chain that the device still holds: it gives it back on the other side.
        using var last = new Rig(from, new MovingDevice());
        Assert.Equal(Errno.None, Move.Load(last.Function, holding));
        Assert.Equal(holding, Move.Save(last.Function));
    }

    [Fact]
    public void Interrupts_wait_and_arrive_on_the_other_side()
    {
        using var from = new Rig(PciInterruptMode.Msix, new MovingDevice());
        Assert.True(from.Driver.Negotiate(Rig.Features));
        from.Driver.Setup(from.Queue, 1);
        from.Driver.Write16(0, from.Driver.Common(VIRTIO_PCI_COMMON_MSIX), 2);
        from.Driver.Ready();
        byte generation = from.Driver.Read8(0, from.Driver.Common(VIRTIO_PCI_COMMON_CFGGENERATION));
        Assert.Equal(Errno.None, from.Function.Migration.SetDeviceState(VfioDeviceState.VFIO_DEVICE_STATE_STOP));
        from.Function.ConfigChanged();
        from.Queue.Add(new GuestBuffer(from.In, 16), new GuestBuffer(from.Out, 64, Writable: true));
        from.Driver.Kick(from.Queue);
        byte[] state = Move.Save(from.Function);
        Assert.Equal(generation, from.Driver.Read8(0, from.Driver.Common(VIRTIO_PCI_COMMON_CFGGENERATION)));

        using var to = new Rig(from, new MovingDevice(), PciInterruptMode.Msix);
        Assert.Equal(Errno.None, Move.Load(to.Function, state));
        Assert.All(to.Driver.Events, e => Assert.Equal(0UL, e.Take()));
        Move.Run(to.Function);
        Assert.Equal(1UL, to.Driver.WaitEvent(1));
        Assert.Equal(1UL, to.Driver.WaitEvent(2));
        Assert.Equal(generation + 1, to.Driver.Read8(0, to.Driver.Common(VIRTIO_PCI_COMMON_CFGGENERATION)));
        Assert.Equal(0UL, from.Driver.Events[2].Take());
    }

    [Fact]
    public void An_interrupt_status_that_nobody_has_read_moves_with_its_pin()
    {
        using var from = new Rig(device: new MovingDevice());
        from.Start();
        from.Queue.Add(new GuestBuffer(from.In, 16), new GuestBuffer(from.Out, 64, Writable: true));
        from.Driver.Kick(from.Queue);
        _ = from.Driver.WaitEvent();
        byte[] state = Move.Save(from.Function);
        using var to = new Rig(from, new MovingDevice());
        Assert.Equal(Errno.None, Move.Load(to.Function, state));
        Move.Run(to.Function);
        _ = to.Driver.WaitEvent();
        Assert.Equal(VIRTIO_PCI_ISR_QUEUE, to.Driver.EndOfInterrupt());
        Assert.Equal(0, to.Driver.EndOfInterrupt());
    }

    [Theory]
    [InlineData(Rig.Features)]
    [InlineData(EventIndex)]
    public void A_move_amid_work_neither_loses_nor_repeats_a_chain(ulong features)
    {
        var rigs = new List<Rig> { new(device: new MovingDevice()) };
        rigs[0].Start(features);
        FakeQueue queue = rigs[0].Queue;
        int used = 0;
        for (int round = 0; round < 60; round++)
        {
            Rig from = rigs[^1];
            var heads = new ushort[8];
            queue.UsedEvent = (ushort)(used + 7);
            for (int i = 0; i < heads.Length; i++)
            {
                heads[i] = queue.Add(new GuestBuffer(from.In, 4096), new GuestBuffer(from.Out, 4096, Writable: true));
                from.Driver.Kick(queue);
            }

            byte[] state = Move.Save(from.Function);
            ushort answered = queue.UsedIndex;
            rigs.Add(new Rig(from, new MovingDevice()));
            Assert.Equal(Errno.None, Move.Load(rigs[^1].Function, state));
            Assert.Equal(answered, queue.UsedIndex);
            Move.Run(rigs[^1].Function);
            rigs[^1].Driver.WaitUsed(queue, used + heads.Length);
            for (int i = 0; i < heads.Length; i++)
            {
                Assert.Equal((heads[i], 4096u), queue.UsedEntry(used + i));
            }

            used += heads.Length;
        }

        rigs[^1].Echo();
        rigs.Reverse();
        rigs.ForEach(rig => rig.Dispose());
    }

    [Fact]
    public void Memory_that_is_mapped_after_the_load_will_do()
    {
        using var from = new Rig(device: new MovingDevice());
        from.Start();
        from.Echo();
        byte[] state = Move.Save(from.Function);
        from.Guest.UnmapFirst();
        using var to = new Rig(from, new MovingDevice());
        Assert.Equal(Errno.None, Move.Load(to.Function, state));
        from.Guest.MapFirst();
        Move.Run(to.Function);
        to.Echo();
    }

    [Fact]
    public void The_state_of_another_device_is_refused()
    {
        using var from = new Rig(device: new MovingDevice());
        from.Start();
        byte[] state = Move.Save(from.Function);
        foreach (MovingDevice device in new[] { new MovingDevice { Features = 3 }, new MovingDevice { Type = 43 }, new MovingDevice { Sizes = [16, 16] }, new MovingDevice { Sizes = [16, 8, 8] } })
        {
            using var iommu = new Type2();
            using var function = new VirtioPciTransport(iommu, device, PciInterruptMode.Intx, NullLogger.Instance);
            Move.AssertRefused(function, state);
        }

        using var to = new Rig(from, new MovingDevice(), PciInterruptMode.Msix);
        Move.AssertRefused(to.Function, state);
    }

    [Fact]
    public void A_damaged_state_is_refused_or_taken_as_it_is()
    {
        using var from = new Rig(device: new MovingDevice());
        from.Start(EventIndex);
        from.Echo();
        byte[] state = Move.Save(from.Function);
        using var to = new Rig(from, new MovingDevice());
        Move.AssertTruncatedRefused(to.Function, state);
        Assert.InRange(Move.FlipBits(to.Function, state), 100, state.Length * 8);
        Assert.Equal(Errno.None, Move.Load(to.Function, state));
        Move.Run(to.Function);
        to.Echo();
    }

    private sealed class MovingDevice : EchoDevice, IVfioMigratable
    {
        public ulong Features { get; init; } = 1;

        public ushort Type { get; init; } = 42;

        public IReadOnlyList<ushort> Sizes { get; init; } = [16, 8];

        public override ushort DeviceType => Type;

        public override ulong DeviceFeatures => Features;

        public override IReadOnlyList<ushort> QueueSizes => Sizes;

        public long MaxStateLength => Config.Length;

        public void SaveState(StateWriter state) => state.Write(Config);

        public void LoadState(StateReader state) => state.Read(Config);
    }
}
