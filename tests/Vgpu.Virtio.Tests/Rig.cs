// A guest, a device on it, and its driver: what most tests begin with.
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Pci;
using Vgpu.Testing;
using static Vgpu.Virtio.VirtioFeatures;

namespace Vgpu.Virtio.Tests;

internal sealed class Rig : IDisposable
{
    public const ulong Features = VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC;

    private readonly bool _owns = true;

    public Rig(PciInterruptMode interrupts = PciInterruptMode.Intx, EchoDevice? device = null)
    {
        Guest = new FakeGuest();
        Device = device ?? new EchoDevice();
        Function = new VirtioPciTransport(Guest.Iommu, Device, interrupts, NullLogger.Instance);
        Driver = new FakeDriver(Function, interrupts == PciInterruptMode.Msix);
        Queue = new FakeQueue(Guest, 0, 16);
        Second = new FakeQueue(Guest, 1, 8);
        In = Guest.Allocate(4096);
        Out = Guest.Allocate(4096);
    }

    /// <summary>Another function for the same guest with the same queues, as after a move to another server.</summary>
    public Rig(Rig from, EchoDevice device, PciInterruptMode interrupts = PciInterruptMode.Intx)
    {
        _owns = false;
        Guest = from.Guest;
        Device = device;
        Function = new VirtioPciTransport(Guest.Iommu, Device, interrupts, NullLogger.Instance);
        Driver = new FakeDriver(Function, interrupts == PciInterruptMode.Msix);
        Queue = from.Queue;
        Second = from.Second;
        In = from.In;
        Out = from.Out;
    }

    public FakeGuest Guest { get; }

    public EchoDevice Device { get; }

    public VirtioPciTransport Function { get; }

    public FakeDriver Driver { get; }

    public FakeQueue Queue { get; }

    public FakeQueue Second { get; }

    /// <summary>A page that the driver offers to be read.</summary>
    public ulong In { get; }

    /// <summary>A page that the driver offers to be written.</summary>
    public ulong Out { get; }

    public void Start(ulong features = Features) => Driver.Start(features, Queue, Second);

    /// <summary>One echo through a queue, checked: the device lives.</summary>
    public void Echo(FakeQueue? on = null)
    {
        FakeQueue queue = on ?? Queue;
        byte[] text = Guid.NewGuid().ToByteArray();
        text.CopyTo(Guest.At(In, text.Length));
        ushort used = queue.UsedIndex;
        ushort head = queue.Add(new GuestBuffer(In, (uint)text.Length), new GuestBuffer(Out, 4096, Writable: true));
        queue.UsedEvent = used;
        Driver.Kick(queue);
        Driver.WaitUsed(queue, used + 1);
        Assert.Equal((head, (uint)text.Length), queue.UsedEntry(used));
        Assert.Equal(text, Guest.At(Out, text.Length).ToArray());
    }

    public void Dispose()
    {
        Function.Dispose();
        Driver.Dispose();
        if (_owns)
        {
            Guest.Dispose();
        }

        Assert.True(Device.Disposed);
    }
}
