// VFIO_DEVICE_SET_IRQS in every shape, the level of INTx, MSI-X vectors.
using Vgpu.Linux;
using Vgpu.Vfio;
using static Vgpu.Pci.PciRegisters;
using static Vgpu.Pci.Tests.PlainFunction;
using static Vgpu.Vfio.VfioIrqSetFlags;
using static Vgpu.Vfio.VfioPciIrqs;

namespace Vgpu.Pci.Tests;

public sealed class IrqTests : IDisposable
{
    private const VfioIrqSetFlags Assign = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
    private const VfioIrqSetFlags Fire = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER;
    private const VfioIrqSetFlags Unmask = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK;
    private const VfioIrqSetFlags Mask = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK;

    private readonly EventFd[] _events = [.. Enumerable.Range(0, 4).Select(_ => EventFd.Create())];

    [Fact]
    public void Kinds_and_counts()
    {
        using var intx = new PlainFunction();
        using var msix = new PlainFunction(PciInterruptMode.Msix);
        Assert.Equal([1u, 0u, 0u, 1u, 1u], intx.Irqs.Select(i => i.Count));
        Assert.Equal([1u, 0u, 4u, 1u, 1u], msix.Irqs.Select(i => i.Count));
        Assert.Equal(
            VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD | VfioIrqFlags.VFIO_IRQ_INFO_MASKABLE | VfioIrqFlags.VFIO_IRQ_INFO_AUTOMASKED,
            intx.Irqs[0].Flags);
        Assert.Equal(VfioIrqFlags.VFIO_IRQ_INFO_EVENTFD | VfioIrqFlags.VFIO_IRQ_INFO_NORESIZE, msix.Irqs[2].Flags);
        Assert.Equal(0u, intx.Read(Config, PCI_CAPABILITY_LIST, 1));
        Assert.Equal(0x40u, msix.Read(Config, PCI_CAPABILITY_LIST, 1));
    }

    [Fact]
    public void INTx_is_signalled_once_and_again_at_each_unmask_while_it_stays()
    {
        using var function = new PlainFunction();
        Give(function, VFIO_PCI_INTX_IRQ_INDEX, 0);
        function.SetIntx(true);
        function.SetIntx(true);
        Assert.Equal(1UL, _events[0].Take());
        Set(function, VFIO_PCI_INTX_IRQ_INDEX, Unmask);
        Assert.Equal(1UL, _events[0].Take());
        function.SetIntx(false);
        Set(function, VFIO_PCI_INTX_IRQ_INDEX, Unmask);
        Assert.Equal(0UL, _events[0].Take());
        Set(function, VFIO_PCI_INTX_IRQ_INDEX, Mask);
        function.SetIntx(true);
        Assert.Equal(0UL, _events[0].Take());
        Assert.Equal(Errno.None, function.SetIrqs(0, 0, 1, VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_UNMASK, [0], default));
        Assert.Equal(0UL, _events[0].Take());
        Assert.Equal(Errno.None, function.SetIrqs(0, 0, 1, VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_UNMASK, [1], default));
        Assert.Equal(1UL, _events[0].Take());
    }

    [Fact]
    public void INTx_asserted_before_it_has_a_trigger_is_signalled_when_it_gets_one()
    {
        using var function = new PlainFunction();
        function.SetIntx(true);
        Give(function, VFIO_PCI_INTX_IRQ_INDEX, 0);
        Assert.Equal(1UL, _events[0].Take());

        // A swap of triggers leaves the mask; de-assigning and assigning does not.
        Give(function, VFIO_PCI_INTX_IRQ_INDEX, 1);
        Assert.Equal(0UL, _events[1].Take());
        Assert.Equal(Errno.None, function.SetIrqs(0, 0, 0, Fire, default, default));
        Give(function, VFIO_PCI_INTX_IRQ_INDEX, 1);
        Assert.Equal(1UL, _events[1].Take());
    }

    [Fact]
    public void INTx_is_unmasked_by_an_eventfd_too()
    {
        using var function = new PlainFunction();
        Give(function, VFIO_PCI_INTX_IRQ_INDEX, 0);
        for (int i = 1; i <= 3; i++)
        {
            EventFd?[] unmask = [new EventFd(_events[i].Descriptor.Duplicate())];
            Assert.Equal(Errno.None, function.SetIrqs(0, 0, 1, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK, default, unmask));
            function.SetIntx(true);
            Assert.Equal(1UL, _events[0].Take());
            for (int j = 0; j < 100; j++)
            {
                _events[i].Signal();
                Assert.True(_events[0].Wait(10_000));
                Assert.Equal(1UL, _events[0].Take());
            }

            function.SetIntx(false);
            Set(function, VFIO_PCI_INTX_IRQ_INDEX, Unmask);
        }

        Assert.Equal(Errno.None, function.SetIrqs(0, 0, 1, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK, default, default));
        function.SetIntx(true);
        Assert.Equal(1UL, _events[0].Take());
        _events[3].Signal();
        Assert.False(_events[0].Wait(20));
    }

    [Theory]
    [InlineData(1u, 1u, Unmask)]
    [InlineData(0u, 2u, Mask)]
    [InlineData(1u, 1u, Fire)]
    [InlineData(0u, 2u, Fire)]
    [InlineData(uint.MaxValue, 2u, Fire)]
    public void INTx_has_one_subindex(uint start, uint count, VfioIrqSetFlags flags)
    {
        using var function = new PlainFunction();
        Assert.Equal(Errno.EINVAL, function.SetIrqs(0, start, count, flags, default, default));
    }

    [Fact]
    public void Vectors_are_assigned_fired_and_taken_away_in_every_shape()
    {
        using var function = new PlainFunction(PciInterruptMode.Msix);
        Assert.Equal(Errno.None, function.SetIrqs(2, 0, 1, Assign, default, default));
        Assert.False(function.IsMsixEnabled);
        EventFd?[] three = [Dup(0), null, Dup(2)];
        Assert.Equal(Errno.None, function.SetIrqs(2, 0, 3, Assign, default, three));
        Assert.True(function.IsMsixEnabled);
        function.Fire(0);
        function.Fire(1);
        function.Fire(2);
        function.Fire(3);
        function.Fire(4000);
        Assert.Equal([1UL, 0, 1, 0], Taken());
        Assert.Equal(Errno.None, function.SetIrqs(2, 0, 4, Fire, default, default));
        Assert.Equal([1UL, 0, 1, 0], Taken());
        Assert.Equal(Errno.None, function.SetIrqs(2, 1, 2, VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_TRIGGER, [1, 1], default));
        Assert.Equal([0UL, 0, 1, 0], Taken());
        EventFd?[] one = [null];
        Assert.Equal(Errno.None, function.SetIrqs(2, 2, 1, Assign, default, one));
        function.Fire(2);
        Assert.Equal([0UL, 0, 0, 0], Taken());
        Assert.Equal(Errno.None, function.SetIrqs(2, 0, 0, Fire, default, default));
        function.Fire(0);
        Assert.Equal([0UL, 0, 0, 0], Taken());
        Assert.False(function.IsMsixEnabled);
        Assert.Equal(Errno.ENOTTY, function.SetIrqs(2, 0, 1, Mask, default, default));
    }

    [Fact]
    public void An_eventfd_that_is_refused_is_closed()
    {
        using var function = new PlainFunction(PciInterruptMode.Msix);
        foreach ((int index, uint start, uint count) in new[] { (2, 4u, 1u), (2, 0u, 2u), (1, 0u, 1u), (0, 1u, 1u), (3, 0u, 2u), (77, 0u, 1u) })
        {
            EventFd e = Dup(0);
            EventFd?[] given = [e];
            Assert.Equal(Errno.EINVAL, function.SetIrqs(index, start, count, Assign, default, given));
            Assert.True(e.Descriptor.IsClosed);
        }
    }

    [Fact]
    public void The_enable_bit_alone_turns_to_MSI_X_and_a_reset_back()
    {
        using var function = new PlainFunction(PciInterruptMode.Msix);
        function.Write(Config, 0x42, 0xffff, 2);
        Assert.Equal(0xc003u, function.Read(Config, 0x42, 2));
        Assert.True(function.IsMsixEnabled);
        function.Reset();
        Assert.False(function.IsMsixEnabled);
    }

    [Fact]
    public void The_vector_table_has_a_BAR_that_was_free()
    {
        using var function = new PlainFunction(PciInterruptMode.Msix);
        Assert.Equal(4096UL, function.Regions[1].Size);
        Assert.Equal(1u, function.Read(Config, 0x44, 4));
        Assert.Equal(0x801u, function.Read(Config, 0x48, 4));
        Assert.Equal(1u, function.Read(1, 12, 4));
        function.Write(1, 16, 0xfee00000, 4);
        function.Write(1, 62, 0xffffffff, 4);
        function.Write(1, 2048, 0xffffffff, 4);
        Assert.Equal(0xfee00000u, function.Read(1, 16, 4));
        Assert.Equal(0xffffu, function.Read(1, 62, 4));
        Assert.Equal(0u, function.Read(1, 2048, 4));
        function.Reset();
        Assert.Equal(0u, function.Read(1, 16, 4));
    }

    [Fact]
    public void Close_lets_go_of_every_trigger_and_reset_of_none()
    {
        using var function = new PlainFunction(PciInterruptMode.Msix);
        for (int index = 0; index < 5; index++)
        {
            if (index != VFIO_PCI_MSI_IRQ_INDEX)
            {
                Give(function, index, 0);
            }
        }

        function.Reset();
        Assert.Equal(Errno.None, function.SetIrqs(2, 0, 1, Fire, default, default));
        Assert.Equal(1UL, _events[0].Take());
        function.Close();
        for (int index = 0; index < 5; index++)
        {
            _ = function.SetIrqs(index, 0, 1, Fire, default, default);
        }

        function.SetIntx(true);
        Assert.Equal(0UL, _events[0].Take());
    }

    public void Dispose()
    {
        foreach (EventFd e in _events)
        {
            e.Dispose();
        }
    }

    private EventFd Dup(int number) => new(_events[number].Descriptor.Duplicate());

    private ulong[] Taken() => [.. _events.Select(e => e.Take())];

    private void Give(PlainFunction function, int index, int number)
    {
        EventFd?[] given = [Dup(number)];
        Assert.Equal(Errno.None, function.SetIrqs(index, 0, 1, Assign, default, given));
    }

    private static void Set(PlainFunction function, int index, VfioIrqSetFlags flags) =>
        Assert.Equal(Errno.None, function.SetIrqs(index, 0, 1, flags, default, default));
}
