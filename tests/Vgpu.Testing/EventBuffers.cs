// Buffers that a driver gives on a queue for events of eight bytes, one each, as Linux's virtio_input (virtio 1.2, 5.8.6).
using System.Buffers.Binary;

namespace Vgpu.Testing;

public sealed class EventBuffers
{
    private const int Length = 8;
    private const int Stride = 64;

    private readonly FakeGuest _guest;
    private readonly FakeDriver _driver;
    private readonly FakeQueue _queue;
    private readonly ulong _buffers;

    public EventBuffers(FakeGuest guest, FakeDriver driver, FakeQueue queue)
        : this(guest, driver, queue, guest.Allocate(Stride * queue.Size))
    {
    }

    private EventBuffers(FakeGuest guest, FakeDriver driver, FakeQueue queue, ulong buffers) =>
        (_guest, _driver, _queue, _buffers) = (guest, driver, queue, buffers);

    /// <summary>The used index up to which events were taken.</summary>
    public ushort Taken { get; set; }

    /// <summary>The same buffers where another device goes on with the queue.</summary>
    public EventBuffers With(FakeDriver driver) => new(_guest, driver, _queue, _buffers) { Taken = Taken };

    /// <summary>Where the buffer of a descriptor is.</summary>
    public ulong AddressOf(ushort head) => _buffers + (Stride * (ulong)head);

    /// <summary>Gives buffers for an event each.</summary>
    public void Give(int count)
    {
        for (int i = 0; i < count; i++)
        {
            ushort at = (ushort)(_queue.AvailableIndex % _queue.Size);
            Assert.Equal(at, _queue.Add(new GuestBuffer(AddressOf(at), Length, Writable: true)));
        }

        _driver.Kick(_queue);
    }

    /// <summary>What was sent and not taken yet, little-endian as it came; each buffer is given anew, where <paramref name="giveBack"/>.</summary>
    public List<ulong> TakeAll(bool giveBack = true)
    {
        var events = new List<ulong>();
        while (Taken != _queue.UsedIndex)
        {
            (uint id, uint written) = _queue.UsedEntry(Taken++);
            Assert.Equal((uint)Length, written);
            events.Add(BinaryPrimitives.ReadUInt64LittleEndian(_guest.At(AddressOf((ushort)id), Length)));
        }

        if (giveBack && events.Count > 0)
        {
            Give(events.Count);
        }

        return events;
    }
}
