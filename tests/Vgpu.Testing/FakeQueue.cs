// The driver's side of a split virtqueue (virtio 1.2, 2.7.13 and 2.7.14), plain enough to break its rules on purpose.
using static Vgpu.Virtio.VirtioRing;

namespace Vgpu.Testing;

/// <summary>A part of a chain.</summary>
public readonly record struct GuestBuffer(ulong Address, uint Length, bool Writable = false);

public sealed class FakeQueue
{
    private readonly FakeGuest _guest;
    private ushort _nextDescriptor;

    public FakeQueue(FakeGuest guest, int index, ushort size)
    {
        _guest = guest;
        Index = index;
        Size = size;
        Table = guest.Allocate(16 * size);
        Available = guest.Allocate(6 + (2 * size));
        Used = guest.Allocate(6 + (8 * size));
    }

    public int Index { get; }

    public ushort Size { get; }

    public ulong Table { get; }

    public ulong Available { get; }

    public ulong Used { get; }

    public ushort AvailableIndex
    {
        get => _guest.Get16(Available + 2);
        set => _guest.Set16(Available + 2, value);
    }

    public ushort UsedIndex => _guest.Get16(Used + 2);

    /// <summary>avail_event: what the device waits for.</summary>
    public ushort AvailableEvent => _guest.Get16(Used + 4 + (8UL * Size));

    /// <summary>used_event: what the driver waits for.</summary>
    public ushort UsedEvent
    {
        set => _guest.Set16(Available + 4 + (2UL * Size), value);
    }

    public ushort Flags
    {
        set => _guest.Set16(Available, value);
    }

    public (uint Id, uint Written) UsedEntry(int index)
    {
        ulong at = Used + 4 + (ulong)(8 * (index & (Size - 1)));
        return (_guest.Get32(at), _guest.Get32(at + 4));
    }

    /// <summary>Zeroes the rings, as a driver does before it sets a queue up.</summary>
    public void Clear()
    {
        _guest.At(Table, 16 * Size).Clear();
        _guest.At(Available, 6 + (2 * Size)).Clear();
        _guest.At(Used, 6 + (8 * Size)).Clear();
        _nextDescriptor = 0;
    }

    /// <summary>Lays a chain in the next descriptors, round and round, and makes it available.</summary>
    public ushort Add(params ReadOnlySpan<GuestBuffer> buffers)
    {
        ushort head = (ushort)(_nextDescriptor % Size);
        for (int i = 0; i < buffers.Length; i++)
        {
            int at = _nextDescriptor++ % Size;
            ushort flags = (ushort)((buffers[i].Writable ? VRING_DESC_F_WRITE : 0) | (i + 1 < buffers.Length ? VRING_DESC_F_NEXT : 0));
            _guest.SetDescriptor(Table, at, buffers[i].Address, buffers[i].Length, flags, (ushort)(_nextDescriptor % Size));
        }

        Offer(head);
        return head;
    }

    /// <summary>Lays one descriptor as it is.</summary>
    public void Set(int at, ulong address, uint length, int flags = 0, int next = 0) =>
        _guest.SetDescriptor(Table, at, address, length, (ushort)flags, (ushort)next);

    public void Offer(ushort head)
    {
        ushort index = AvailableIndex;
        _guest.Set16(Available + 4 + (2UL * (uint)(index & (Size - 1))), head);
        AvailableIndex = (ushort)(index + 1);
        Interlocked.MemoryBarrier();
    }
}
