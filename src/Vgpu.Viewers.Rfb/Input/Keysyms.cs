namespace Vgpu.Viewers.Rfb;

/// <summary>
/// X11 keysyms (X11/keysymdef.h) as keys of linux/input-event-codes.h on a keyboard of the US layout, which the guest is
/// taken to have where a viewer does not say which key it was: what QEMU's <c>-k en-us</c> does.
/// </summary>
internal static class Keysyms
{
    internal const uint XK_Caps_Lock = 0xffe5;

    private const string Keys = "`1234567890-=qwertyuiop[]\\asdfghjkl;'zxcvbnm,./ ";
    private const string Shifted = "~!@#$%^&*()_+QWERTYUIOP{}|ASDFGHJKL:\"ZXCVBNM<>? ";

    private static readonly ushort[] s_codes =
    [
        41, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
        16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 43,
        30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 57,
    ];

    private static readonly Dictionary<uint, (ushort Code, bool? Shift)> s_keys = CreateKeys();

    /// <summary>
    /// The key, 0 for none, and whether Shift is needed for it to give that symbol; null: with or without.
    /// </summary>
    internal static (ushort Code, bool? Shift) Find(uint keysym) => s_keys.GetValueOrDefault(keysym);

    /// <summary>Whether Caps Lock turns this symbol into its other one.</summary>
    internal static bool IsLetter(uint keysym) => keysym < 128 && char.IsAsciiLetter((char)keysym);

    private static Dictionary<uint, (ushort Code, bool? Shift)> CreateKeys()
    {
        var keys = new Dictionary<uint, (ushort, bool?)>();
        for (int i = 0; i < Keys.Length; i++)
        {
            bool isSpace = Keys[i] == ' ';
            keys[Keys[i]] = (s_codes[i], isSpace ? null : false);
            keys[Shifted[i]] = (s_codes[i], isSpace ? null : true);
        }

        foreach ((uint keysym, ushort code) in NamedKeys)
        {
            keys[keysym] = (code, null);
        }

        // F1 to F10, F11 and F12, F13 to F24.
        for (uint i = 0; i < 24; i++)
        {
            keys[0xffbe + i] = ((ushort)(i < 10 ? 59 + i : i < 12 ? 77 + i : 171 + i), null);
        }

        // The digits of the keypad: XK_KP_0 to XK_KP_9.
        ReadOnlySpan<ushort> digits = [82, 79, 80, 81, 75, 76, 77, 71, 72, 73];
        for (int i = 0; i < digits.Length; i++)
        {
            keys[(uint)(0xffb0 + i)] = (digits[i], null);
        }

        return keys;
    }

    private static ReadOnlySpan<(uint Keysym, ushort Code)> NamedKeys =>
    new (uint, ushort)[]
    {
        (0xff08, 14), // XK_BackSpace
        (0xff09, 15), // XK_Tab
        (0xfe20, 15), // XK_ISO_Left_Tab
        (0xff0a, 28), // XK_Linefeed
        (0xff0d, 28), // XK_Return
        (0xff13, 119), // XK_Pause
        (0xff14, 70), // XK_Scroll_Lock
        (0xff15, 99), // XK_Sys_Req
        (0xff1b, 1), // XK_Escape
        (0xff21, 92), // XK_Kanji
        (0xff22, 94), // XK_Muhenkan
        (0xff23, 92), // XK_Henkan_Mode
        (0xff27, 93), // XK_Hiragana_Katakana
        (0xff31, 122), // XK_Hangul
        (0xff34, 123), // XK_Hangul_Hanja
        (0xff50, 102), // XK_Home
        (0xff51, 105), // XK_Left
        (0xff52, 103), // XK_Up
        (0xff53, 106), // XK_Right
        (0xff54, 108), // XK_Down
        (0xff55, 104), // XK_Page_Up
        (0xff56, 109), // XK_Page_Down
        (0xff57, 107), // XK_End
        (0xff61, 99), // XK_Print
        (0xff63, 110), // XK_Insert
        (0xff67, 127), // XK_Menu
        (0xff6b, 119), // XK_Break
        (0xff7e, 100), // XK_Mode_switch
        (0xff7f, 69), // XK_Num_Lock
        (0xff80, 57), // XK_KP_Space
        (0xff8d, 96), // XK_KP_Enter
        (0xff95, 71), // XK_KP_Home
        (0xff96, 75), // XK_KP_Left
        (0xff97, 72), // XK_KP_Up
        (0xff98, 77), // XK_KP_Right
        (0xff99, 80), // XK_KP_Down
        (0xff9a, 73), // XK_KP_Page_Up
        (0xff9b, 81), // XK_KP_Page_Down
        (0xff9c, 79), // XK_KP_End
        (0xff9d, 76), // XK_KP_Begin
        (0xff9e, 82), // XK_KP_Insert
        (0xff9f, 83), // XK_KP_Delete
        (0xffaa, 55), // XK_KP_Multiply
        (0xffab, 78), // XK_KP_Add
        (0xffac, 83), // XK_KP_Separator
        (0xffad, 74), // XK_KP_Subtract
        (0xffae, 83), // XK_KP_Decimal
        (0xffaf, 98), // XK_KP_Divide
        (0xffbd, 117), // XK_KP_Equal
        (0xffe1, 42), // XK_Shift_L
        (0xffe2, 54), // XK_Shift_R
        (0xffe3, 29), // XK_Control_L
        (0xffe4, 97), // XK_Control_R
        (XK_Caps_Lock, 58),
        (0xffe7, 125), // XK_Meta_L
        (0xffe8, 126), // XK_Meta_R
        (0xffe9, 56), // XK_Alt_L
        (0xffea, 100), // XK_Alt_R
        (0xffeb, 125), // XK_Super_L
        (0xffec, 126), // XK_Super_R
        (0xfe03, 100), // XK_ISO_Level3_Shift
        (0xffff, 111), // XK_Delete
        (0x1008ff11, 114), // XF86XK_AudioLowerVolume
        (0x1008ff12, 113), // XF86XK_AudioMute
        (0x1008ff13, 115), // XF86XK_AudioRaiseVolume
        (0x1008ff14, 164), // XF86XK_AudioPlay
        (0x1008ff15, 166), // XF86XK_AudioStop
        (0x1008ff16, 165), // XF86XK_AudioPrev
        (0x1008ff17, 163), // XF86XK_AudioNext
    };
}
