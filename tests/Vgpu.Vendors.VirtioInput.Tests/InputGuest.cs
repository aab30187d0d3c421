// A guest with a virtio input device: a driver that gives buffers and takes events, as Linux's virtio_input.
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Vfio;
using static Vgpu.Virtio.VirtioFeatures;

namespace Vgpu.Vendors.VirtioInput.Tests;

internal sealed class InputGuest : IDisposable
{
    internal const ulong Features = VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC;
    internal const int Config = 0x2000;

    private readonly bool _owns = true;
    private readonly VirtioInputFunction _function;
    private readonly EventBuffers _buffers;

    internal InputGuest(VirtioInputKind kind, bool msix = false, ILogger? log = null, ushort size = 64)
    {
        Guest = new FakeGuest();
        _function = VirtioInput.Create(kind, "desk", Guest.Iommu, log ?? NullLogger.Instance, msix);
        Driver = new FakeDriver(Function, msix);
        Events = new FakeQueue(Guest, VirtioInputConstants.EVENTQ, size);
        Status = new FakeQueue(Guest, VirtioInputConstants.STATUSQ, size);
        _buffers = new EventBuffers(Guest, Driver, Events);
        StatusBuffer = Guest.Allocate(64);
        Sink = new VirtioInputSet(Device);
    }

    /// <summary>Another device for the same guest, with the driver where it is.</summary>
    internal InputGuest(InputGuest from, ILogger? log = null)
    {
        _owns = false;
        Guest = from.Guest;
        _function = VirtioInput.Create(from.Device.Kind, "desk", Guest.Iommu, log ?? NullLogger.Instance);
        Driver = new FakeDriver(Function);
        (Events, Status, _buffers, StatusBuffer) = (from.Events, from.Status, from._buffers.With(Driver), from.StatusBuffer);
        Sink = new VirtioInputSet(Device);
    }

    internal FakeGuest Guest { get; }

    internal VirtioInputDevice Device => _function.Device;

    internal VfioDevice Function => _function.Function;

    internal FakeDriver Driver { get; }

    internal FakeQueue Events { get; }

    internal FakeQueue Status { get; }

    internal IInputSink Sink { get; }

    internal ulong Buffers => _buffers.AddressOf(0);

    internal ulong StatusBuffer { get; }

    /// <summary>The used index up to which events were taken.</summary>
    internal ushort Taken
    {
        get => _buffers.Taken;
        set => _buffers.Taken = value;
    }

    /// <summary>The driver's initialisation, with so many buffers.</summary>
    internal InputGuest Start(int buffers = 64, ulong features = Features)
    {
        Driver.TurnOn();
        Taken = 0;
        Driver.Start(features, Events, Status);
        Give(buffers);
        return this;
    }

    /// <summary>Gives buffers for an event each.</summary>
    internal void Give(int buffers) => _buffers.Give(buffers);

    /// <summary>What was sent and not taken yet; each buffer is given anew, where <paramref name="giveBack"/>.</summary>
    internal List<VirtioInputEvent> TakeAll(bool giveBack = true) =>
        [.. _buffers.TakeAll(giveBack).Select(bits => System.Runtime.CompilerServices.Unsafe.BitCast<ulong, VirtioInputEvent>(bits))];

    /// <summary>So many events, waited for, as words.</summary>
    internal string Take(int count, bool giveBack = true)
    {
        var events = new List<VirtioInputEvent>();
        int first = Taken;
        Driver.WaitFor(() =>
        {
            events.AddRange(TakeAll(giveBack));
            return events.Count >= count;
        });
        Assert.Equal(first + count, first + events.Count);
        return Text(events);
    }

    /// <summary>Sends, and the frame that comes of it; it ends with the only SYN_REPORT.</summary>
    internal string Frame(params ReadOnlySpan<InputEvent> events)
    {
        Sink.Send(events);
        var got = new List<VirtioInputEvent>();
        Driver.WaitFor(() =>
        {
            got.AddRange(TakeAll());
            return got.Count > 0 && got[^1].Type == InputEventCodes.EV_SYN;
        });
        Assert.Equal(1, got.Count(happened => happened.Type == InputEventCodes.EV_SYN));
        return Text(got[..^1]);
    }

    /// <summary>Sends what the guest is to hear nothing of; a frame after it shows that it did not.</summary>
    internal void SendUnheard(params ReadOnlySpan<InputEvent> events)
    {
        ushort used = Events.UsedIndex;
        Sink.Send(events);
        lock (Function.Lock)
        {
        }

        Assert.Equal(used, Events.UsedIndex);
    }

    /// <summary>Sends a status event to the device and waits for its return.</summary>
    internal void SetStatus(ushort type, ushort code, int value, uint length = 8)
    {
        var status = new VirtioInputEvent(type, code, value);
        System.Runtime.InteropServices.MemoryMarshal.Write(Guest.At(StatusBuffer, 8), in status);
        ushort used = Status.UsedIndex;
        Status.Add(new GuestBuffer(StatusBuffer, length));
        Driver.Kick(Status);
        Driver.WaitUsed(Status, used + 1);
        Assert.Equal(0u, Status.UsedEntry(used).Written);
    }

    /// <summary>The size and the union for a select.</summary>
    internal byte[] ReadConfig(byte select, byte subselect = 0)
    {
        Driver.Write8(0, Config, select);
        Driver.Write8(0, Config + 1, subselect);
        Assert.Equal((select, subselect), (Driver.Read8(0, Config), Driver.Read8(0, Config + 1)));
        int size = Driver.Read8(0, Config + 2);
        byte[] union = [.. Enumerable.Range(0, InputDescription.UnionLength).Select(i => Driver.Read8(0, Config + 8 + i))];
        Assert.All(union[size..], left => Assert.Equal(0, left));
        return union[..size];
    }

    public void Dispose()
    {
        _function.Dispose();
        Driver.Dispose();
        if (_owns)
        {
            Guest.Dispose();
        }
    }

    internal static string Text(IEnumerable<VirtioInputEvent> events) =>
        string.Join(' ', events.Select(happened => $"{happened.Type:x}.{happened.Code:x}={happened.Value}"));
}
