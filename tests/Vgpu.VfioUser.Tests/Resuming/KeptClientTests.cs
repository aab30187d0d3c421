using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;
using static Vgpu.Vfio.VfioIrqSetFlags;

namespace Vgpu.VfioUser.Tests.Resuming;

// A client as it is written down from what a keeper is told, by a server or by somebody who is none.
public sealed class KeptClientTests : IDisposable
{
    private const VfioIrqSetFlags Assign = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;

    private readonly FileDescriptor _file = MemFd.Create("kept", 1 << 20);
    private readonly EventFd _eventfd = EventFd.Create();
    private readonly KeptClient _client;

    public KeptClientTests()
    {
        (UnixSocket near, UnixSocket far) = UnixSocket.Pair();
        far.Dispose();
        _client = new KeptClient(near.Descriptor);
    }

    public void Dispose()
    {
        _client.Dispose();
        _file.Dispose();
        _eventfd.Dispose();
    }

    [Fact]
    public void Maps_of_one_file_share_a_descriptor_and_as_many_as_a_server_takes_fit()
    {
        for (ulong i = 0; i < VfioUserLimits.MaxDmaMaps; i++)
        {
            _client.Map(At(i * 8192), _file);
        }

        Assert.Equal((VfioUserLimits.MaxDmaMaps, 1), (_client.MapCount, _client.FileCount));
        Assert.Throws<InvalidDataException>(() => _client.Map(At(1UL << 40), _file));
        _client.Unmap(0, 1UL << 41);
        Assert.Equal((0, 0), (_client.MapCount, _client.FileCount));
    }

    [Fact]
    public void Only_what_a_server_can_have_done_is_taken()
    {
        _client.Map(At(0x10000, 0x4000), _file);
        _client.Map(At(0x20000), null);
        foreach (KeptMap bad in (KeptMap[])[At(0x13000), At(0xf000, 0x2000), At(0x11000), At(0, 0), At(1), At(ulong.MaxValue - 4095, 8192), At(0) with { Protection = 0 }])
        {
            Assert.Throws<InvalidDataException>(() => _client.Map(bad, _file));
        }

        Assert.Throws<InvalidDataException>(() => _client.Unmap(0x11000, 0x10000));
        Assert.Throws<InvalidDataException>(() => _client.Unmap(0x10000, 0x3000));
        Assert.Throws<InvalidDataException>(() => _client.Unmap(0, 0));
        Assert.Equal((2, 1), (_client.MapCount, _client.FileCount));
        _client.Unmap(0x10000, 0x11000);
        Assert.Equal(0, _client.MapCount);
    }

    [Fact]
    public void What_was_replaced_is_not_there_any_more()
    {
        _client.SetIrqs(new KeptIrqs(2, 0, 3, Assign), [], [_eventfd.Descriptor, _eventfd.Descriptor, _eventfd.Descriptor]);
        _client.SetIrqs(new KeptIrqs(2, 1, 2, Assign), [], [_eventfd.Descriptor, _eventfd.Descriptor]);
        _client.SetIrqs(new KeptIrqs(0, 0, 1, Assign), [], [_eventfd.Descriptor]);
        _client.SetIrqs(new KeptIrqs(0, 0, 1, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK), [], [_eventfd.Descriptor]);
        _client.SetIrqs(new KeptIrqs(0, 0, 1, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK), [], []);
        Assert.Equal([(0u, 0u), (0, 0), (0, 0), (2, 0), (2, 1), (2, 2)], _client.Irqs.Select(irq => (irq.Irqs.Index, irq.Irqs.Start)));
        _client.SetIrqs(new KeptIrqs(2, 0, 2, Assign), [], []);
        _client.SetIrqs(new KeptIrqs(0, 0, 1, VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_UNMASK), [1], []);
        Assert.Equal([Assign, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK, Assign], _client.Irqs.Select(irq => irq.Irqs.Flags));
        _client.SetIrqs(new KeptIrqs(0, 0, 0, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER), [], []);
        Assert.Equal([(2u, 2u)], _client.Irqs.Select(irq => (irq.Irqs.Index, irq.Irqs.Start)));
    }

    [Fact]
    public void Interrupts_without_end_are_refused()
    {
        Assert.Throws<InvalidDataException>(() => _client.SetIrqs(new KeptIrqs(0, 0, uint.MaxValue, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK), [], []));
        Assert.Throws<InvalidDataException>(() => _client.SetIrqs(new KeptIrqs(0, 2, uint.MaxValue, Assign), [], []));
        Assert.Throws<InvalidDataException>(() => _client.SetIrqs(new KeptIrqs(0, 0, 2, Assign), [], [_eventfd.Descriptor]));
        Assert.Throws<InvalidDataException>(() => _client.SetIrqs(new KeptIrqs(0, 0, 2, VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_MASK), [1], []));
        Assert.Throws<InvalidDataException>(() => _client.SetIrqs(new KeptIrqs(0, 0, 1, 0), [], []));
        Assert.InRange(_client.Irqs.Count(), 0, KeptClient.MaxIrqs);
    }

    private static KeptMap At(ulong iova, ulong size = 4096) => new(iova, size, 0, IommuProtection.IOMMU_READ);
}
