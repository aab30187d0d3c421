using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Tests;

// VFIO_USER_DEVICE_SET_IRQS in the shapes that clients send.
public sealed class IrqTests : IDisposable
{
    private const VfioIrqSetFlags EventfdTrigger = VfioIrqSetFlags.VFIO_IRQ_SET_DATA_EVENTFD | VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TRIGGER;
    private const VfioIrqSetFlags NoneTrigger = VfioIrqSetFlags.VFIO_IRQ_SET_DATA_NONE | VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TRIGGER;
    private const VfioIrqSetFlags NoneUnmask = VfioIrqSetFlags.VFIO_IRQ_SET_DATA_NONE | VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_UNMASK;
    private const VfioIrqSetFlags BoolMask = VfioIrqSetFlags.VFIO_IRQ_SET_DATA_BOOL | VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_MASK;
    private const VfioIrqSetFlags EventfdUnmask = VfioIrqSetFlags.VFIO_IRQ_SET_DATA_EVENTFD | VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_UNMASK;

    private readonly ServedDevice _served = new();
    private readonly VfioUserClient _client;
    private readonly EventFd[] _eventfds = [.. Enumerable.Range(0, 17).Select(_ => EventFd.Create())];

    public IrqTests() => _client = _served.Negotiated();

    public void Dispose()
    {
        _client.Dispose();
        _served.Dispose();
        Array.ForEach(_eventfds, e => e.Dispose());
    }

    [Fact]
    public void What_qemu_sends_reaches_the_device()
    {
        _client.SetIrqs(2, 0, 1, EventfdTrigger);
        for (int index = 0; index < 5; index++)
        {
            _client.SetIrqs(index, 0, 0, NoneTrigger);
        }

        _client.SetIrqs(2, 0, 3, EventfdTrigger, [], Fds(3));
        _client.SetIrqs(0, 0, 1, EventfdTrigger, [], Fds(1));
        _client.SetIrqs(0, 0, 1, NoneUnmask);
        _client.SetIrqs(0, 0, 1, EventfdUnmask, [], Fds(1));
        _client.SetIrqs(2, 4, 2, EventfdTrigger);
        _client.SetIrqs(2, 6, 2, BoolMask, [1, 0]);
        string[] seen = [.. _served.Device.IrqCalls.Select(c => $"{c.Index} {c.Start} {c.Count} {(uint)c.Flags:x} {c.Bools.Length} {c.EventFds}")];
        string[] expected =
        [
            "2 0 1 24 0 0",
            "0 0 0 21 0 0",
            "1 0 0 21 0 0",
            "2 0 0 21 0 0",
            "3 0 0 21 0 0",
            "4 0 0 21 0 0",
            "2 0 3 24 0 3",
            "0 0 1 24 0 1",
            "0 0 1 11 0 0",
            "0 0 1 14 0 1",
            "2 4 2 24 0 0",
            "2 6 2 a 2 0",
        ];
        Assert.Equal(expected, seen);
    }

    [Fact]
    public void A_trigger_wakes_the_client_on_its_own_eventfd()
    {
        _client.SetIrqs(2, 3, 2, EventfdTrigger, [], Fds(2));
        Assert.True(_served.Device.Raise(2, 4));
        Assert.True(_eventfds[1].Wait(5_000));
        Assert.Equal((0ul, 1ul), (_eventfds[0].Take(), _eventfds[1].Take()));
    }

    [Fact]
    public void Room_for_the_eventfds_numbers_may_be_there()
    {
        byte[] payload = [.. Wire.Bytes(new IrqSet { Argsz = 28, Flags = EventfdTrigger, Index = 2, Count = 2 }), .. new byte[8]];
        _ = _client.Request(VfioUserCommand.VFIO_USER_DEVICE_SET_IRQS, payload, Fds(2));
        Assert.Equal(2, Assert.Single(_served.Device.IrqCalls).EventFds);
    }

    private FileDescriptor[] Fds(int count) => [.. _eventfds.Take(count).Select(e => e.Descriptor)];
}
