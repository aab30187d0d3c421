// When the driver is told of used buffers: event index, flags, INTx with its level, MSI-X vectors.
using Vgpu.Pci;
using Vgpu.Testing;
using Vgpu.Vfio;
using static Vgpu.Pci.PciRegisters;
using static Vgpu.Virtio.VirtioFeatures;
using static Vgpu.Virtio.VirtioPci;
using static Vgpu.Virtio.VirtioRing;

namespace Vgpu.Virtio.Tests;

public sealed class InterruptTests
{
    [Fact]
    public void The_event_index_interrupts_exactly_at_its_entry()
    {
        using var rig = new Rig(PciInterruptMode.Msix);
        Start(rig, Rig.Features | VIRTIO_F_EVENT_IDX);
        int signals = 0;

        // 16-bit indexes wrap within this; the event is set 5 chains ahead, so one chain in 5 interrupts.
        const int Chains = 70_000;
        rig.Queue.UsedEvent = 4;
        for (int i = 0; i < Chains; i += 5)
        {
            for (int j = 0; j < 5; j++)
            {
                rig.Queue.Add(new GuestBuffer(rig.In, 1), new GuestBuffer(rig.Out, 1, true));
            }

            rig.Driver.Kick(rig.Queue);
            signals += (int)rig.Driver.WaitEvent(0);
            Assert.Equal((ushort)(i + 5), rig.Queue.UsedIndex);
            rig.Queue.UsedEvent = (ushort)(i + 9);
        }

        Assert.Equal(Chains / 5, signals);
        Assert.Equal(0UL, rig.Driver.Events[0].Take());
    }

    [Fact]
    public void The_device_asks_for_a_notification_once_it_has_drained_the_ring()
    {
        using var rig = new Rig();
        rig.Start(Rig.Features | VIRTIO_F_EVENT_IDX);
        for (int i = 1; i <= 5; i++)
        {
            rig.Echo();
            Assert.True(SpinWait.SpinUntil(() => rig.Queue.AvailableEvent == i, FakeDriver.Timeout));
        }
    }

    [Fact]
    public void NO_INTERRUPT_is_heeded()
    {
        using var rig = new Rig();
        rig.Start();
        rig.Queue.Flags = VRING_AVAIL_F_NO_INTERRUPT;
        rig.Queue.Add(new GuestBuffer(rig.In, 1), new GuestBuffer(rig.Out, 1, true));
        rig.Driver.Kick(rig.Queue);
        Assert.True(SpinWait.SpinUntil(() => rig.Queue.UsedIndex == 1, FakeDriver.Timeout));
        lock (rig.Function.Lock)
        {
            Assert.Equal(0UL, rig.Driver.Events[0].Take());
        }
    }

    [Fact]
    public void INTx_stays_low_once_the_status_is_read_and_rises_again_where_it_was_not()
    {
        using var rig = new Rig();
        rig.Start();
        Raise(rig);
        rig.Driver.WaitEvent();
        Assert.Equal(PCI_STATUS_INTERRUPT, rig.Driver.Read16(7, PCI_STATUS) & PCI_STATUS_INTERRUPT);

        // Unmasked while the pin is still asserted: signalled again.
        rig.Driver.Unmask();
        rig.Driver.WaitEvent();
        Raise(rig);
        Assert.Equal(0UL, rig.Driver.Events[0].Take());
        Assert.Equal(VIRTIO_PCI_ISR_QUEUE, rig.Driver.EndOfInterrupt());
        Assert.Equal(0UL, rig.Driver.Events[0].Take());
        Assert.Equal(0, rig.Driver.Read16(7, PCI_STATUS) & PCI_STATUS_INTERRUPT);
        Assert.Equal(0, rig.Driver.EndOfInterrupt());
    }

    [Fact]
    public void Interrupt_disable_holds_INTx_back()
    {
        using var rig = new Rig();
        rig.Start();
        rig.Driver.Write16(7, PCI_COMMAND, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE);
        Raise(rig);
        Assert.Equal(0UL, rig.Driver.Events[0].Take());
        rig.Driver.Write16(7, PCI_COMMAND, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
        rig.Driver.WaitEvent();
    }

    [Fact]
    public void A_reset_takes_back_the_vectors_that_nobody_has_seen_yet()
    {
        using var rig = new Rig(PciInterruptMode.Msix);
        Start(rig, Rig.Features);
        rig.Queue.Add(new GuestBuffer(rig.In, 1), new GuestBuffer(rig.Out, 1, true));
        rig.Driver.Kick(rig.Queue);
        Assert.True(rig.Driver.Events[0].Wait(FakeDriver.Timeout));

        rig.Driver.SetStatus(0);

        Assert.Equal(0, rig.Driver.Status);
        Assert.Equal(0UL, rig.Driver.Events[0].Take());
    }

    [Fact]
    public void A_chain_that_ends_while_a_reset_waits_for_it_interrupts_nobody()
    {
        using var rig = new Rig(PciInterruptMode.Msix);
        Start(rig, Rig.Features);
        var reset = new Thread(() => rig.Driver.SetStatus(0));
        ulong signals = 0;
        using var handled = new ManualResetEventSlim();
        rig.Device.Handle = (_, queue, chain) =>
        {
            reset.Start();
            SpinWait.SpinUntil(() => reset.ThreadState.HasFlag(ThreadState.WaitSleepJoin), FakeDriver.Timeout);
            queue.Push(chain.Head, 0);
            signals = rig.Driver.Events[0].Take();
            handled.Set();
        };
        rig.Queue.Add(new GuestBuffer(rig.In, 1), new GuestBuffer(rig.Out, 1, true));
        rig.Driver.Kick(rig.Queue);
        Assert.True(handled.Wait(FakeDriver.Timeout));
        reset.Join();

        Assert.Equal(0UL, signals);
        Assert.Equal(0, rig.Driver.Status);

        // The next driver is heard again.
        Assert.True(rig.Driver.Negotiate(Rig.Features));
        rig.Driver.Write16(0, rig.Driver.Common(VIRTIO_PCI_COMMON_MSIX), 0);
        rig.Driver.Ready();
        rig.Function.ConfigChanged();
        rig.Driver.WaitEvent(0);
    }

    [Fact]
    public void Each_cause_has_its_vector()
    {
        using var rig = new Rig(PciInterruptMode.Msix);
        Assert.Equal(3u, rig.Function.Irqs[VfioPciIrqs.VFIO_PCI_MSIX_IRQ_INDEX].Count);
        Assert.True(rig.Driver.Negotiate(Rig.Features));
        rig.Driver.Write16(0, rig.Driver.Common(VIRTIO_PCI_COMMON_MSIX), 0);
        rig.Driver.Setup(rig.Queue, 1);
        rig.Driver.Setup(rig.Second, 2);
        rig.Driver.Ready();
        rig.Function.ConfigChanged();
        rig.Driver.WaitEvent(0);
        Give(rig, rig.Queue);
        rig.Driver.WaitEvent(1);
        Give(rig, rig.Second);
        rig.Driver.WaitEvent(2);
        Assert.All(rig.Driver.Events, e => Assert.Equal(0UL, e.Take()));
        Assert.Equal(0, rig.Driver.Read8(0, 0x1000));
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(3, VIRTIO_MSI_NO_VECTOR)]
    [InlineData(0x1234, VIRTIO_MSI_NO_VECTOR)]
    public void A_vector_that_is_not_there_is_refused(ushort vector, ushort reads)
    {
        using var rig = new Rig(PciInterruptMode.Msix);
        rig.Driver.Write16(0, rig.Driver.Common(VIRTIO_PCI_COMMON_Q_MSIX), vector);
        Assert.Equal(reads, rig.Driver.Read16(0, rig.Driver.Common(VIRTIO_PCI_COMMON_Q_MSIX)));
        rig.Driver.Write16(0, rig.Driver.Common(VIRTIO_PCI_COMMON_MSIX), vector);
        Assert.Equal(reads, rig.Driver.Read16(0, rig.Driver.Common(VIRTIO_PCI_COMMON_MSIX)));
    }

    private static void Start(Rig rig, ulong features)
    {
        Assert.True(rig.Driver.Negotiate(features));
        rig.Driver.Setup(rig.Queue, 0);
        rig.Driver.Ready();
    }

    private static void Give(Rig rig, FakeQueue queue)
    {
        queue.Add(new GuestBuffer(rig.In, 1), new GuestBuffer(rig.Out, 1, true));
        rig.Driver.Kick(queue);
    }

    /// <summary>One chain through the device, until its interrupt has been raised.</summary>
    private static void Raise(Rig rig)
    {
        ushort used = rig.Queue.UsedIndex;
        Give(rig, rig.Queue);
        Assert.True(SpinWait.SpinUntil(() => rig.Queue.UsedIndex != used, FakeDriver.Timeout));
        lock (rig.Function.Lock)
        {
            // The worker has left Push.
        }
    }
}
