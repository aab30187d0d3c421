namespace Vgpu.Screens;

/// <summary>What an <see cref="InputEvent"/> is of.</summary>
public enum InputKind : byte
{
    /// <summary>A key of the keyboard: <see cref="InputEvent.Code"/> is a KEY_ number, <see cref="InputEvent.Value"/> 1 (pressed) or 0.</summary>
    Key,

    /// <summary>A button of the pointer: <see cref="InputEvent.Code"/> is a BTN_ number, <see cref="InputEvent.Value"/> 1 (pressed) or 0.</summary>
    Button,

    /// <summary>Where the pointer is: <see cref="InputEvent.X"/> and <see cref="InputEvent.Y"/>.</summary>
    Pointer,

    /// <summary>The wheel: <see cref="InputEvent.X"/> to the right and <see cref="InputEvent.Y"/> upwards, in 120ths of a notch (REL_WHEEL_HI_RES).</summary>
    Scroll,

    /// <summary>A finger: <see cref="InputEvent.Code"/> is its slot, <see cref="InputEvent.Value"/> 1 (down or moved) or 0 (lifted), and where.</summary>
    Touch,
}

/// <summary>
/// One thing that a person did, in the numbers of linux/input-event-codes.h. Fixed layout: it travels between processes.
/// </summary>
/// <param name="Kind">What it is of.</param>
/// <param name="Code">See <see cref="InputKind"/>.</param>
/// <param name="Head">On which head, for a pointer or a finger.</param>
/// <param name="Value">See <see cref="InputKind"/>.</param>
/// <param name="X">See <see cref="InputKind"/>; of a place, 0 (left edge) to <see cref="MaxPlace"/>.</param>
/// <param name="Y">See <see cref="InputKind"/>; of a place, 0 (top edge) to <see cref="MaxPlace"/>.</param>
public readonly record struct InputEvent(InputKind Kind, byte Head, ushort Code, int Value, int X, int Y)
{
    /// <summary>The right and the bottom edge, whatever the mode.</summary>
    public const int MaxPlace = 32_767;

    /// <summary>Fingers at the same time.</summary>
    public const int MaxSlots = 10;

    /// <summary>KEY_MAX: no key or button has a greater number.</summary>
    public const ushort MaxCode = 0x2ff;

    /// <summary>The furthest that one event scrolls: 100 notches.</summary>
    public const int MaxScroll = 12_000;

    /// <summary>Whether every number is within its range. Whoever takes events from another process asks first.</summary>
    public bool IsValid => Kind switch
    {
        InputKind.Key or InputKind.Button => Code is > 0 and <= MaxCode && Value is 0 or 1,
        InputKind.Pointer => IsPlace(X) && IsPlace(Y) && Head < Screen.MaxHeads,
        InputKind.Scroll => Math.Abs((long)X) <= MaxScroll && Math.Abs((long)Y) <= MaxScroll,
        InputKind.Touch => Code < MaxSlots && Value is 0 or 1 && IsPlace(X) && IsPlace(Y) && Head < Screen.MaxHeads,
        _ => false,
    };

    /// <summary>A key was pressed or released.</summary>
    public static InputEvent Key(ushort code, bool isDown) => new(InputKind.Key, 0, code, isDown ? 1 : 0, 0, 0);

    /// <summary>A button of the pointer was pressed or released.</summary>
    public static InputEvent Button(ushort code, bool isDown) => new(InputKind.Button, 0, code, isDown ? 1 : 0, 0, 0);

    /// <summary>The pointer is at a pixel of a picture of this size; places outside are moved to its edge.</summary>
    public static InputEvent Pointer(int head, int x, int y, int width, int height) =>
        new(InputKind.Pointer, (byte)head, 0, 0, Place(x, width), Place(y, height));

    /// <summary>The wheel turned, in 120ths of a notch.</summary>
    public static InputEvent Scroll(int right, int up) =>
        new(InputKind.Scroll, 0, 0, 0, Math.Clamp(right, -MaxScroll, MaxScroll), Math.Clamp(up, -MaxScroll, MaxScroll));

    /// <summary>A finger is down at a pixel of a picture of this size, or was lifted there.</summary>
    public static InputEvent Touch(int head, int slot, bool isDown, int x, int y, int width, int height) =>
        new(InputKind.Touch, (byte)head, (ushort)slot, isDown ? 1 : 0, Place(x, width), Place(y, height));

    // The middle of a pixel's share, so that a guest of the same size gets the pixel back: floor(place * size / (MaxPlace + 1)).
    private static int Place(int pixel, int size) =>
        size <= 0 ? 0 : (int)(((2L * Math.Clamp(pixel, 0, size - 1)) + 1) * (MaxPlace + 1L) / (2L * size));

    private static bool IsPlace(int value) => value is >= 0 and <= MaxPlace;
}
