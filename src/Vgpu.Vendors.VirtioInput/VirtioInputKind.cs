namespace Vgpu.Vendors.VirtioInput;

/// <summary>What a virtio-input device is to its guest.</summary>
public enum VirtioInputKind
{
    /// <summary>Keys and three lights.</summary>
    Keyboard,

    /// <summary>An absolute pointer with buttons and wheels.</summary>
    Tablet,

    /// <summary>A touch screen of ten fingers: multi-touch protocol B (Documentation/input/multi-touch-protocol.rst).</summary>
    Touch,
}
