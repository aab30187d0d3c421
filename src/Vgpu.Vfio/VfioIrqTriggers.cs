// The triggers of one interrupt index: one eventfd a subindex, as VFIO_DEVICE_SET_IRQS assigns and fires them.
// Follows vfio_pci_set_msi_trigger and vfio_pci_set_ctx_trigger_single of drivers/vfio/pci/vfio_pci_intrs.c.
using Vgpu.Linux;

namespace Vgpu.Vfio;

/// <summary>
/// The eventfds that a client has assigned to one interrupt index. It owns them. Not thread-safe: the device calls
/// every member with one and the same lock held, so that no trigger is closed while it is being signalled. Only
/// making it allocates.
/// </summary>
public sealed class VfioIrqTriggers : IDisposable
{
    private readonly EventFd?[] _triggers;

    /// <summary>An index of <paramref name="count"/> subindexes, 0 or more, none assigned.</summary>
    public VfioIrqTriggers(uint count) => _triggers = new EventFd?[count];

    /// <summary>Subindexes.</summary>
    public uint Count => (uint)_triggers.Length;

    /// <summary>How many subindexes have a trigger now.</summary>
    public int Assigned { get; private set; }

    /// <summary>Signals one subindex; false, and lost, where it has no trigger.</summary>
    public bool Signal(uint subindex)
    {
        EventFd? trigger = subindex < Count ? _triggers[subindex] : null;
        trigger?.Signal();
        return trigger is not null;
    }

    /// <summary>
    /// VFIO_IRQ_SET_ACTION_TRIGGER in every shape. DATA_NONE with count 0 de-assigns the index; DATA_EVENTFD assigns
    /// one subindex an entry, null or no entries at all de-assign; DATA_NONE and DATA_BOOL signal what is assigned.
    /// EINVAL where the range is not within the index or the payload does not fit it; nothing has changed then. The
    /// eventfds are taken over whatever is answered.
    /// </summary>
    public Errno Set(uint start, uint count, VfioIrqSetFlags flags, ReadOnlySpan<byte> bools, ReadOnlySpan<EventFd?> eventfds)
    {
        VfioIrqSetFlags data = flags & VfioIrqSetFlags.VFIO_IRQ_SET_DATA_TYPE_MASK;
        bool fits = start <= Count && count <= Count - start;
        switch (data)
        {
            case VfioIrqSetFlags.VFIO_IRQ_SET_DATA_NONE when count == 0:
                Clear();
                return Errno.None;
            case VfioIrqSetFlags.VFIO_IRQ_SET_DATA_NONE when fits:
                for (uint i = start; i < start + count; i++)
                {
                    Signal(i);
                }

                return Errno.None;
            case VfioIrqSetFlags.VFIO_IRQ_SET_DATA_BOOL when fits && bools.Length >= count:
                for (uint i = 0; i < count; i++)
                {
                    if (bools[(int)i] != 0)
                    {
                        Signal(start + i);
                    }
                }

                return Errno.None;
            case VfioIrqSetFlags.VFIO_IRQ_SET_DATA_EVENTFD when fits && (eventfds.Length == 0 || (uint)eventfds.Length == count):
                for (uint i = 0; i < count; i++)
                {
                    Assign(start + i, eventfds.Length == 0 ? null : eventfds[(int)i]);
                }

                return Errno.None;
            default:
                Discard(eventfds);
                return Errno.EINVAL;
        }
    }

    /// <summary>Takes back every signal that the client has not seen yet.</summary>
    public void Withdraw()
    {
        foreach (EventFd? trigger in _triggers)
        {
            trigger?.Withdraw();
        }
    }

    /// <summary>De-assigns every subindex.</summary>
    public void Clear()
    {
        for (uint i = 0; i < Count && Assigned > 0; i++)
        {
            Assign(i, null);
        }
    }

    /// <summary>Closes eventfds that were handed over and are of no use.</summary>
    public static void Discard(ReadOnlySpan<EventFd?> eventfds)
    {
        foreach (EventFd? eventfd in eventfds)
        {
            eventfd?.Dispose();
        }
    }

    /// <summary>As <see cref="Clear"/>.</summary>
    public void Dispose() => Clear();

    private void Assign(uint subindex, EventFd? trigger)
    {
        EventFd? old = _triggers[subindex];
        _triggers[subindex] = trigger;
        Assigned += (trigger is null ? 0 : 1) - (old is null ? 0 : 1);
        old?.Dispose();
    }
}
