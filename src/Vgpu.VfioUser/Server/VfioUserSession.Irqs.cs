using System.Numerics;
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Server;

// VFIO_USER_DEVICE_SET_IRQS: eventfds for interrupts, masks, and interrupts by the client's hand.
internal sealed partial class VfioUserSession
{
    private const VfioIrqSetFlags KnownIrqSetFlags = VfioIrqSetFlags.VFIO_IRQ_SET_DATA_TYPE_MASK | VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TYPE_MASK;

    private readonly EventFd?[] _eventfds = new EventFd?[VfioUserLimits.MaxMsgFds];

    private Errno SetIrqs(in VfioUserHeader header, ReadOnlySpan<byte> payload, ReceivedDescriptors? descriptors)
    {
        var reader = new WireReader(payload);
        if (!reader.TryRead(out IrqSet set) || set.Argsz < IrqSet.Length || set.Index >= (uint)_irqs.Length)
        {
            return Errno.EINVAL;
        }

        VfioIrqSetFlags data = set.Flags & VfioIrqSetFlags.VFIO_IRQ_SET_DATA_TYPE_MASK;
        VfioIrqSetFlags action = set.Flags & VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TYPE_MASK;
        if ((set.Flags & ~KnownIrqSetFlags) != 0 || !BitOperations.IsPow2((uint)data) || !BitOperations.IsPow2((uint)action))
        {
            return Errno.EINVAL;
        }

        bool isWholeIndexOff = data == VfioIrqSetFlags.VFIO_IRQ_SET_DATA_NONE
            && action == VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TRIGGER
            && set is { Start: 0, Count: 0 };
        uint available = _irqs[set.Index].Count;
        if (!isWholeIndexOff && (set.Count == 0 || set.Start >= available || set.Count > available - set.Start))
        {
            return Errno.EINVAL;
        }

        if (!IsDataLengthValid(data, set.Count, reader.Rest.Length))
        {
            return Errno.EINVAL;
        }

        int eventfds = descriptors?.Count ?? 0;
        if (eventfds > 0 && !AreEventFds(data, set.Count, descriptors!))
        {
            return Errno.EINVAL;
        }

        ReadOnlySpan<byte> bools = data == VfioIrqSetFlags.VFIO_IRQ_SET_DATA_BOOL ? reader.Rest : [];
        Errno errno = IsKept(set) ? SetKeptIrqs(set, bools, descriptors) : SetIrqs(set, bools, descriptors);
        if (errno == Errno.None)
        {
            _ = _replies.Begin(0);
            _replies.Commit(header);
        }

        return errno;
    }

    private Errno SetIrqs(in IrqSet set, ReadOnlySpan<byte> bools, ReceivedDescriptors? descriptors)
    {
        int eventfds = descriptors?.Count ?? 0;
        for (int i = 0; i < eventfds; i++)
        {
            _eventfds[i] = new EventFd(descriptors!.Take(i));
        }

        Errno errno = _device.SetIrqs((int)set.Index, set.Start, set.Count, set.Flags, bools, _eventfds.AsSpan(0, eventfds));
        _eventfds.AsSpan().Clear();
        return errno;
    }

    // With eventfds the kernel's structure has room for their numbers; a client may send that room too.
    private static bool IsDataLengthValid(VfioIrqSetFlags data, uint count, int length) => data switch
    {
        VfioIrqSetFlags.VFIO_IRQ_SET_DATA_NONE => length == 0,
        VfioIrqSetFlags.VFIO_IRQ_SET_DATA_BOOL => (uint)length == count,
        _ => length == 0 || (ulong)length == (ulong)count * sizeof(int),
    };

    private static bool AreEventFds(VfioIrqSetFlags data, uint count, ReceivedDescriptors descriptors)
    {
        if (data != VfioIrqSetFlags.VFIO_IRQ_SET_DATA_EVENTFD || (uint)descriptors.Count != count)
        {
            return false;
        }

        for (int i = 0; i < descriptors.Count; i++)
        {
            if (!EventFd.IsEventFd(descriptors.Peek(i)))
            {
                return false;
            }
        }

        return true;
    }
}
