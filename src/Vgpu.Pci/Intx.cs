// The level-triggered pin INTA# as VFIO shows it: signalled once while asserted, masked by that, signalled again when
// unmasked while still asserted. Follows the INTx half of drivers/vfio/pci/vfio_pci_intrs.c; PCI Local Bus 3.0, 2.2.6.
using Vgpu.Linux;
using Vgpu.Vfio;

namespace Vgpu.Pci;

/// <summary>
/// The state of INTx. Every member takes <see cref="Lock"/>, the last in the device's lock order, so that the end of an
/// interrupt never waits for queue work.
/// </summary>
internal sealed class Intx : IDisposable
{
    private readonly VfioIrqTriggers _trigger = new(1);
    private IntxUnmaskWatch? _watch;
    private bool _asserted;
    private bool _masked;
    private bool _disabled;
    private bool _stopped;

    public Lock Lock { get; } = new();

    /// <summary>The pin's level, whatever masks it: Interrupt Status of the status register.</summary>
    public bool Asserted
    {
        get
        {
            lock (Lock)
            {
                return _asserted;
            }
        }
    }

    public void SetLevel(bool asserted)
    {
        lock (Lock)
        {
            _asserted = asserted;
            Deliver();
        }
    }

    /// <summary>Interrupt Disable of the command register.</summary>
    public void SetDisabled(bool disabled)
    {
        lock (Lock)
        {
            _disabled = disabled;
            Deliver();
        }
    }

    /// <summary>A stopped device signals nothing; what is asserted is signalled when it goes on.</summary>
    public void SetRunning(bool running)
    {
        lock (Lock)
        {
            _stopped = !running;
            Deliver();
        }
    }

    public Errno SetTrigger(uint start, uint count, VfioIrqSetFlags flags, ReadOnlySpan<byte> bools, ReadOnlySpan<EventFd?> eventfds)
    {
        lock (Lock)
        {
            bool had = _trigger.Assigned != 0;
            Errno errno = _trigger.Set(start, count, flags, bools, eventfds);
            bool has = _trigger.Assigned != 0;
            if (!has)
            {
                _ = TryWatch(null);
            }

            if (has != had)
            {
                _masked = false;
            }

            Deliver();
            return errno;
        }
    }

    public Errno SetMask(bool mask, uint start, uint count, VfioIrqSetFlags flags, ReadOnlySpan<byte> bools, ReadOnlySpan<EventFd?> eventfds)
    {
        VfioIrqSetFlags data = flags & VfioIrqSetFlags.VFIO_IRQ_SET_DATA_TYPE_MASK;
        bool byEvent = data == VfioIrqSetFlags.VFIO_IRQ_SET_DATA_EVENTFD;
        if (start != 0 || count > 1 || (byEvent && mask) || eventfds.Length > 1)
        {
            VfioIrqTriggers.Discard(eventfds);
            return byEvent && mask ? Errno.ENOTTY : Errno.EINVAL;
        }

        lock (Lock)
        {
            if (byEvent)
            {
                return TryWatch(eventfds.Length == 0 ? null : eventfds[0]);
            }

            if (data == VfioIrqSetFlags.VFIO_IRQ_SET_DATA_NONE || (bools.Length != 0 && bools[0] != 0))
            {
                _masked = mask;
                Deliver();
            }

            return Errno.None;
        }
    }

    /// <summary>What an unmask event does; false where <paramref name="watch"/> is not the one in force any more.</summary>
    public bool Unmask(IntxUnmaskWatch watch)
    {
        lock (Lock)
        {
            if (_watch != watch)
            {
                return false;
            }

            _masked = false;
            Deliver();
            return true;
        }
    }

    /// <summary>The client is gone.</summary>
    public void Close()
    {
        lock (Lock)
        {
            _ = TryWatch(null);
            _trigger.Clear();
            _masked = false;
        }
    }

    public void Dispose() => Close();

    private void Deliver()
    {
        if (_asserted && !_masked && !_disabled && !_stopped && _trigger.Signal(0))
        {
            _masked = true;
        }
    }

    // Takes the eventfd over whatever is answered.
    private Errno TryWatch(EventFd? unmask)
    {
        IntxUnmaskWatch? watch;
        try
        {
            watch = unmask is null ? null : new IntxUnmaskWatch(this, unmask);
        }
        catch (LinuxException e)
        {
            unmask?.Dispose();
            return e.Errno;
        }

        _watch?.Stop();
        _watch = watch;
        watch?.Start();
        return Errno.None;
    }
}
