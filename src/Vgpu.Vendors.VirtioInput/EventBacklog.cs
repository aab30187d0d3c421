namespace Vgpu.Vendors.VirtioInput;

/// <summary>Events that wait for the guest's buffers: a ring of 64. With the device's lock held. Allocates nothing once it is made.</summary>
internal sealed class EventBacklog
{
    internal const int Capacity = 64;

    private readonly VirtioInputEvent[] _events = new VirtioInputEvent[Capacity];
    private int _first;

    internal int Count { get; private set; }

    internal int Room => Capacity - Count;

    internal VirtioInputEvent First => _events[_first];

    internal VirtioInputEvent this[int index] => _events[(_first + index) % Capacity];

    /// <summary>There is room.</summary>
    internal void Add(ushort type, ushort code, int value) => _events[(_first + Count++) % Capacity] = new VirtioInputEvent(type, code, value);

    internal void RemoveFirst()
    {
        _first = (_first + 1) % Capacity;
        Count--;
    }

    /// <summary>Takes back what was added since there were so many.</summary>
    internal void CutTo(int count) => Count = count;

    internal void Clear()
    {
        _first = 0;
        Count = 0;
    }
}
