using System.Numerics;
using Vgpu.Linux;
using Vgpu.Vfio;

namespace Vgpu.VfioUser;

// Interrupts: one entry a subindex and action, so that what replaces another is the one that is there.
public sealed partial class KeptClient
{
    /// <summary>Eventfds and masks of interrupts at most: those of MSI-X, and some.</summary>
    public const int MaxIrqs = 4096;

    private const VfioIrqSetFlags Mask = VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_MASK;
    private const VfioIrqSetFlags Unmask = VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_UNMASK;
    private const VfioIrqSetFlags Trigger = VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TRIGGER;
    private const VfioIrqSetFlags Eventfd = VfioIrqSetFlags.VFIO_IRQ_SET_DATA_EVENTFD;
    private const VfioIrqSetFlags Nothing = VfioIrqSetFlags.VFIO_IRQ_SET_DATA_NONE;

    // Triggers first, by which a device forgets masks; masks last.
    private readonly SortedDictionary<IrqKey, FileDescriptor?> _irqs = new(Comparer<IrqKey>.Create(IrqKey.Compare));

    /// <summary>
    /// In the order in which a device is to be given them, each of one subindex; what a later one has replaced is not there.
    /// Eventfds are this client's, and valid until its next change.
    /// </summary>
    public IEnumerable<(KeptIrqs Irqs, FileDescriptor? EventFd)> Irqs =>
        _irqs.Select(irq => (new KeptIrqs(irq.Key.Index, irq.Key.Subindex, 1, irq.Key.Flags), irq.Value));

    /// <summary>Sets or takes away eventfds or masks, as VFIO_USER_DEVICE_SET_IRQS does.</summary>
    public void SetIrqs(in KeptIrqs irqs, ReadOnlySpan<byte> bools, ReadOnlySpan<FileDescriptor> eventfds)
    {
        VfioIrqSetFlags data = irqs.Flags & VfioIrqSetFlags.VFIO_IRQ_SET_DATA_TYPE_MASK;
        VfioIrqSetFlags action = irqs.Flags & VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TYPE_MASK;
        if ((irqs.Flags & ~(data | action)) != 0 || !BitOperations.IsPow2((uint)data) || !BitOperations.IsPow2((uint)action)
            || irqs.Count > uint.MaxValue - irqs.Start || (irqs.Count > MaxIrqs && action == Mask)
            || (!eventfds.IsEmpty && (data != Eventfd || (uint)eventfds.Length != irqs.Count))
            || (data == VfioIrqSetFlags.VFIO_IRQ_SET_DATA_BOOL ? (uint)bools.Length != irqs.Count : !bools.IsEmpty))
        {
            throw Refused($"{irqs} with {bools.Length} bytes and {eventfds.Length} eventfds");
        }

        KeptIrqs told = irqs;
        if (action == Trigger && data == Nothing && irqs.Count == 0)
        {
            Remove(key => key.Index == told.Index);
        }
        else if (data == Eventfd && eventfds.IsEmpty)
        {
            Remove(key => key.Flags == (Eventfd | action) && key.IsWithin(told));
        }
        else if (data == Eventfd)
        {
            for (int i = 0; i < eventfds.Length; i++)
            {
                Put(new IrqKey(irqs.Index, irqs.Start + (uint)i, Eventfd | action), eventfds[i].Duplicate());
            }
        }
        else if (action == Unmask)
        {
            byte[] chosen = bools.ToArray();
            Remove(key => key.Flags == (Nothing | Mask) && key.IsWithin(told) && (chosen.Length == 0 || chosen[key.Subindex - told.Start] != 0));
        }
        else if (action == Mask)
        {
            for (uint i = 0; i < irqs.Count; i++)
            {
                if (bools.IsEmpty || bools[(int)i] != 0)
                {
                    Put(new IrqKey(irqs.Index, irqs.Start + i, Nothing | Mask), null);
                }
            }
        }
    }

    private void Put(IrqKey key, FileDescriptor? eventfd)
    {
        if (_irqs.TryGetValue(key, out FileDescriptor? old))
        {
            old?.Dispose();
        }
        else if (_irqs.Count >= MaxIrqs)
        {
            eventfd?.Dispose();
            throw Refused($"there are {_irqs.Count} interrupts already");
        }

        _irqs[key] = eventfd;
    }

    private void Remove(Predicate<IrqKey> isGone)
    {
        IrqKey[] gone = [.. _irqs.Keys.Where(key => isGone(key))];
        foreach (IrqKey key in gone)
        {
            _irqs.Remove(key, out FileDescriptor? eventfd);
            eventfd?.Dispose();
        }
    }

    private void ForgetIrqs() => Remove(_ => true);

    private readonly record struct IrqKey(uint Index, uint Subindex, VfioIrqSetFlags Flags)
    {
        internal bool IsWithin(KeptIrqs range) => Index == range.Index && Subindex - range.Start < range.Count;

        internal static int Compare(IrqKey left, IrqKey right) =>
            (left.Index, -(int)left.Flags, left.Subindex).CompareTo((right.Index, -(int)right.Flags, right.Subindex));
    }
}
