// The virtio input device (virtio 1.2, 5.8): events to the guest through queue 0, its lights back through queue 1.
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Vgpu.Screens;
using Vgpu.Virtio;
using static Vgpu.Vendors.VirtioInput.InputEventCodes;
using static Vgpu.Vendors.VirtioInput.VirtioInputConstants;

namespace Vgpu.Vendors.VirtioInput;

/// <summary>
/// A keyboard, a pointer or a touch screen, apart from any transport. What people do waits in a queue of 64 events for the
/// guest's buffers; a frame that finds no room is dropped, and what it changed for good (keys, buttons, fingers, the
/// pointer's place) follows as a difference once there is room. A guest that gives no buffers, or bad ones, costs nothing
/// more than that. Threads: as <see cref="VirtioDevice"/> says; <see cref="Send"/> is for any.
/// </summary>
/// <remarks>
/// One lock, the transport's (<see cref="Vfio.VfioDevice.Lock"/>): taken by <see cref="Send"/> and
/// <see cref="ReleaseAll"/>, so no lock that comes after it may be held then. Nothing is waited for with it held.
/// </remarks>
public sealed partial class VirtioInputDevice : VirtioDevice
{
    private const int UnionOffset = 8;
    private const long LogMilliseconds = 10_000;

    // As QEMU's: Linux gives 64 buffers.
    private static readonly ushort[] s_queueSizes = [64, 64];

    private readonly InputDescription _description;
    private readonly GuestView _view;
    private bool _isActive;
    private byte _select;
    private byte _subselect;
    private int _leds;
    private long _lastLog = long.MinValue / 2;

    /// <summary>A device of this kind; <paramref name="serial"/> is what the guest reads as its serial, of which 128 bytes count.</summary>
    public VirtioInputDevice(VirtioInputKind kind, string serial)
    {
        _description = InputDescription.Of(kind, serial);
        _view = new GuestView(_description);
    }

    /// <summary>
    /// The guest has set other lights (EV_LED). On the device's worker with its lock held: it returns at once and calls
    /// nothing of the device but <see cref="Leds"/>.
    /// </summary>
    public event Action<VirtioInputLeds>? LedsChanged;

    public VirtioInputKind Kind => _description.Kind;

    /// <summary>The lights as the guest has set them; none after a reset, and of what is no keyboard. Any thread.</summary>
    public VirtioInputLeds Leds => (VirtioInputLeds)Volatile.Read(ref _leds);

    public override ushort DeviceType => VIRTIO_ID_INPUT;

    /// <summary>As QEMU's: a keyboard, or another input device.</summary>
    public override uint PciClassCode => (Kind == VirtioInputKind.Keyboard ? PCI_CLASS_INPUT_KEYBOARD : PCI_CLASS_INPUT_OTHER) << 8;

    public override ulong DeviceFeatures => 0;

    /// <summary>The event queue and the status queue.</summary>
    public override IReadOnlyList<ushort> QueueSizes => s_queueSizes;

    /// <summary>struct virtio_input_config.</summary>
    public override int ConfigSize => UnionOffset + InputDescription.UnionLength;

    public override void ReadConfig(int offset, Span<byte> data)
    {
        Span<byte> config = stackalloc byte[UnionOffset + InputDescription.UnionLength];
        config.Clear();
        config[0] = _select;
        config[1] = _subselect;
        config[2] = (byte)_description.Read(_select, _subselect, config[UnionOffset..]);
        config.Slice(offset, data.Length).CopyTo(data);
    }

    /// <summary>Only select and subsel take a write.</summary>
    public override void WriteConfig(int offset, ReadOnlySpan<byte> data)
    {
        for (int i = 0; i < data.Length && offset + i < 2; i++)
        {
            (offset + i == 0 ? ref _select : ref _subselect) = data[i];
        }
    }

    public override void Activate(ulong features) => _isActive = true;

    public override void HandleChain(int queueIndex, Virtqueue queue, DescriptorChain chain)
    {
        if (queueIndex == EVENTQ)
        {
            HandOut(queue, chain);
        }
        else
        {
            TakeStatus(chain);
            queue.Push(chain.Head, 0);
        }
    }

    public override void Reset()
    {
        _isActive = false;
        _select = 0;
        _subselect = 0;
        _view.Reset();
        SetLeds(VirtioInputLeds.None);
    }

    public override void DmaUnmap(ulong iova, ulong length)
    {
        // Nothing of the guest's memory is kept from one chain to the next.
    }

    /// <summary>
    /// What a person did, one frame; of it only what this kind of device has. Nothing where no driver is there. Returns once it
    /// is kept: what ends this process then loses nothing of it. Any thread, without a later lock of the lock order; allocates
    /// nothing.
    /// </summary>
    /// <param name="events">Those that are not valid are left out.</param>
    /// <param name="fingersPoint">A tablet takes the first finger for its pointer, with BTN_LEFT.</param>
    /// <returns>False where no driver is there.</returns>
    internal bool Send(ReadOnlySpan<InputEvent> events, bool fingersPoint = false)
    {
        using (Transport.InTurn())
        {
            if (!_isActive)
            {
                return false;
            }

            if (!_view.Take(events, fingersPoint))
            {
                return true;
            }

            Transport.StateChanged();
            Transport.CommitState();
        }

        Transport.Wake(EVENTQ);
        return true;
    }

    /// <summary>Lets go of all that is pressed. Any thread, as <see cref="Send"/>.</summary>
    internal void ReleaseAll()
    {
        using (Transport.InTurn())
        {
            if (!_isActive || !_view.ReleaseAll())
            {
                return;
            }

            Transport.StateChanged();
            Transport.CommitState();
        }

        Transport.Wake(EVENTQ);
    }

    /// <summary>Whether an event waits for a buffer. Any thread.</summary>
    internal bool HasEvent
    {
        get
        {
            using (Transport.InTurn())
            {
                return _view.HasEvent;
            }
        }
    }

    // A buffer takes one event. Those that nobody needs yet stay where they are.
    private void HandOut(Virtqueue queue, DescriptorChain chain)
    {
        if (!_view.HasEvent)
        {
            queue.Leave();
            return;
        }

        VirtioInputEvent first = _view.Event;
        if (!chain.Write(0, MemoryMarshal.AsBytes(new ReadOnlySpan<VirtioInputEvent>(in first))))
        {
            Complain("gave a buffer that no event fits into");
            queue.Push(chain.Head, 0);
            return;
        }

        // Before the push, which commits both: a successor either has the event and the buffer still, or neither.
        Transport.StateChanged();
        _view.RemoveEvent();
        queue.Push(chain.Head, VirtioInputEvent.Length);
    }

    private void TakeStatus(DescriptorChain chain)
    {
        VirtioInputEvent status = default;
        if (!chain.Read(0, MemoryMarshal.AsBytes(new Span<VirtioInputEvent>(ref status))))
        {
            Complain("sent a status that is too short for one");
            return;
        }

        if (status.Type == EV_LED && _description.Has(EV_LED, status.Code))
        {
            var light = (VirtioInputLeds)(1 << status.Code);
            Transport.StateChanged();
            SetLeds(status.Value != 0 ? Leds | light : Leds & ~light);
        }
    }

    private void SetLeds(VirtioInputLeds leds)
    {
        if (Leds != leds)
        {
            Volatile.Write(ref _leds, (int)leds);
            LedsChanged?.Invoke(leds);
        }
    }

    private void Complain(string what)
    {
        long now = Environment.TickCount64;
        if (now - _lastLog >= LogMilliseconds)
        {
            _lastLog = now;
            BadBuffer(Transport.Log, Kind, what);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The guest's driver of the {Kind} {What}; there may have been more of these")]
    private static partial void BadBuffer(ILogger log, VirtioInputKind kind, string what);
}
