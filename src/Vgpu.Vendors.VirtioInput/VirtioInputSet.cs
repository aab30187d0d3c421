using Vgpu.Screens;

namespace Vgpu.Vendors.VirtioInput;

/// <summary>
/// Takes what people do at a screen to the input devices of its guest: keys to the keyboard; pointer, buttons and wheels to
/// the tablet; fingers to the touch screen, or where there is none to the tablet, whose pointer the first finger is then.
/// </summary>
/// <remarks>
/// Members are for any thread and return at once; two calls at the same moment are one after the other on each device. A place
/// is one of the guest's whole desktop, on whichever head it was: a guest with several screens needs one
/// input device a screen, which there is not.
/// </remarks>
public sealed class VirtioInputSet : IInputSink
{
    private readonly VirtioInputDevice[] _devices;
    private readonly bool _hasTouch;
    private readonly UndrivenInput _undriven = new();

    /// <summary>The devices stay their owner's, who ends the set's use before them.</summary>
    public VirtioInputSet(params IEnumerable<VirtioInputDevice> devices)
    {
        _devices = [.. devices];
        _hasTouch = Array.Exists(_devices, device => device.Kind == VirtioInputKind.Touch);
    }

    /// <summary>The guest has set other lights of its keyboard. See <see cref="VirtioInputDevice.LedsChanged"/>.</summary>
    public event Action<VirtioInputLeds>? LedsChanged
    {
        add => Array.ForEach(_devices, device => device.LedsChanged += value);
        remove => Array.ForEach(_devices, device => device.LedsChanged -= value);
    }

    /// <summary>The keyboard's lights.</summary>
    public VirtioInputLeds Leds => _devices.Aggregate(VirtioInputLeds.None, (leds, device) => leds | device.Leds);

    /// <summary>
    /// Takes keys while no driver drives a keyboard of these, and what the pointer does while none drives a tablet: in firmware, a
    /// boot loader, a guest without the driver. What was pressed there is let go there. Null: nobody does. Any thread; the one
    /// before gets releases of all that it was told is pressed.
    /// </summary>
    public IInputSink? Fallback
    {
        get => _undriven.Sink;
        set => _undriven.Sink = value;
    }

    /// <inheritdoc/>
    public void Send(ReadOnlySpan<InputEvent> events)
    {
        bool hasKeyboard = false;
        bool hasPointer = false;
        foreach (VirtioInputDevice device in _devices)
        {
            bool isDriven = device.Send(events, fingersPoint: !_hasTouch);
            hasKeyboard |= isDriven && device.Kind == VirtioInputKind.Keyboard;
            hasPointer |= isDriven && device.Kind == VirtioInputKind.Tablet;
        }

        _undriven.Send(events, keys: !hasKeyboard, pointer: !hasPointer);
    }

    /// <summary>
    /// Lets go of every key, button and finger: whoever pressed them is gone. For whoever carries events from another process,
    /// when that ends or its connection does.
    /// </summary>
    public void ReleaseAll()
    {
        Array.ForEach(_devices, device => device.ReleaseAll());
        _undriven.ReleaseAll();
    }
}
