// Keys by the numbers of linux/input-event-codes.h, as QEMU names them (QKeyCode in QEMU's qapi/ui.json).
namespace Vgpu.Qemu;

internal static class QemuKeys
{
    // A row has ten.
    private static readonly string?[] s_names =
    [
        null, "esc", "1", "2", "3", "4", "5", "6", "7", "8",
        "9", "0", "minus", "equal", "backspace", "tab", "q", "w", "e", "r",
        "t", "y", "u", "i", "o", "p", "bracket_left", "bracket_right", "ret", "ctrl",
        "a", "s", "d", "f", "g", "h", "j", "k", "l", "semicolon",
        "apostrophe", "grave_accent", "shift", "backslash", "z", "x", "c", "v", "b", "n",
        "m", "comma", "dot", "slash", "shift_r", "kp_multiply", "alt", "spc", "caps_lock", "f1",
        "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "num_lock",
        "scroll_lock", "kp_7", "kp_8", "kp_9", "kp_subtract", "kp_4", "kp_5", "kp_6", "kp_add", "kp_1",
        "kp_2", "kp_3", "kp_0", "kp_decimal", null, null, "less", "f11", "f12", "ro",
        null, "hiragana", "henkan", "katakanahiragana", "muhenkan", null, "kp_enter", "ctrl_r", "kp_divide", "print",
        "alt_r", null, "home", "up", "pgup", "left", "right", "end", "down", "pgdn",
        "insert", "delete", null, "audiomute", "volumedown", "volumeup", "power", "kp_equals", null, "pause",
        null, "kp_comma", "lang1", "lang2", "yen", "meta_l", "meta_r", "compose", null, null,
        null, null, null, null, null, null, null, null, null, "menu",
    ];

    /// <summary>Null: QEMU has no such key.</summary>
    internal static string? NameOf(ushort code) => code < s_names.Length ? s_names[code] : null;
}
