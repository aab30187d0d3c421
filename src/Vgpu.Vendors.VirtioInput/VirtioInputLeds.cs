namespace Vgpu.Vendors.VirtioInput;

/// <summary>The lights of a keyboard: bits by LED_ number (linux/input-event-codes.h).</summary>
[Flags]
public enum VirtioInputLeds
{
    None = 0,
    NumLock = 1 << InputEventCodes.LED_NUML,
    CapsLock = 1 << InputEventCodes.LED_CAPSL,
    ScrollLock = 1 << InputEventCodes.LED_SCROLLL,
}
