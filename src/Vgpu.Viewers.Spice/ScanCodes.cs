namespace Vgpu.Viewers.Spice;

// PC XT scan codes (set 1), as SPICE sends them byte by byte, to the KEY_ numbers of linux/input-event-codes.h. One thread.
internal sealed class ScanCodes
{
    private const byte Extended = 0xe0;
    private const byte PausePrefix = 0xe1;
    private const byte Released = 0x80;
    private const int PauseBytes = 2;
    private const byte PauseLast = 0x45;
    private const ushort KEY_PAUSE = 119;

    // From 1 (KEY_ESC) to 0x53 (KEY_KPDOT), 0x56 (KEY_102ND), 0x57 and 0x58 (KEY_F12) both number alike.
    private const int LastAlike = 0x58;

    private static readonly ushort[] s_plain = Plain();
    private static readonly ushort[] s_extended = AfterE0();

    private bool _isExtended;
    private int _pauseLeft;

    /// <summary>Takes a byte; true where it ends a key's press or release.</summary>
    internal bool TryTake(byte fragment, out ushort key, out bool isDown)
    {
        key = 0;
        isDown = (fragment & Released) == 0;
        if (_pauseLeft > 0)
        {
            _pauseLeft--;
            key = _pauseLeft == 0 && (fragment & ~Released) == PauseLast ? KEY_PAUSE : (ushort)0;
            return key != 0;
        }

        if (fragment is Extended or PausePrefix)
        {
            _isExtended = fragment == Extended;
            _pauseLeft = _isExtended ? 0 : PauseBytes;
            return false;
        }

        key = (_isExtended ? s_extended : s_plain)[fragment & ~Released];
        _isExtended = false;
        return key != 0;
    }

    private static ushort[] Plain()
    {
        var keys = new ushort[128];
        for (ushort code = 1; code <= LastAlike; code++)
        {
            keys[code] = code;
        }

        keys[0x54] = 99; // KEY_SYSRQ
        keys[0x55] = 0;
        keys[0x59] = 117; // KEY_KPEQUAL
        for (int function = 0; function <= 10; function++)
        {
            keys[0x64 + function] = (ushort)(183 + function); // KEY_F13 to KEY_F23
        }

        keys[0x70] = 93; // KEY_KATAKANAHIRAGANA
        keys[0x73] = 89; // KEY_RO
        keys[0x76] = 85; // KEY_ZENKAKUHANKAKU
        keys[0x77] = 91; // KEY_HIRAGANA
        keys[0x78] = 90; // KEY_KATAKANA
        keys[0x79] = 92; // KEY_HENKAN
        keys[0x7b] = 94; // KEY_MUHENKAN
        keys[0x7d] = 124; // KEY_YEN
        keys[0x7e] = 121; // KEY_KPCOMMA
        return keys;
    }

    private static ushort[] AfterE0()
    {
        var keys = new ushort[128];
        keys[0x10] = 165; // KEY_PREVIOUSSONG
        keys[0x19] = 163; // KEY_NEXTSONG
        keys[0x1c] = 96; // KEY_KPENTER
        keys[0x1d] = 97; // KEY_RIGHTCTRL
        keys[0x20] = 113; // KEY_MUTE
        keys[0x21] = 140; // KEY_CALC
        keys[0x22] = 164; // KEY_PLAYPAUSE
        keys[0x24] = 166; // KEY_STOPCD
        keys[0x2e] = 114; // KEY_VOLUMEDOWN
        keys[0x30] = 115; // KEY_VOLUMEUP
        keys[0x32] = 172; // KEY_HOMEPAGE
        keys[0x35] = 98; // KEY_KPSLASH
        keys[0x37] = 99; // KEY_SYSRQ
        keys[0x38] = 100; // KEY_RIGHTALT
        keys[0x46] = KEY_PAUSE;
        keys[0x47] = 102; // KEY_HOME
        keys[0x48] = 103; // KEY_UP
        keys[0x49] = 104; // KEY_PAGEUP
        keys[0x4b] = 105; // KEY_LEFT
        keys[0x4d] = 106; // KEY_RIGHT
        keys[0x4f] = 107; // KEY_END
        keys[0x50] = 108; // KEY_DOWN
        keys[0x51] = 109; // KEY_PAGEDOWN
        keys[0x52] = 110; // KEY_INSERT
        keys[0x53] = 111; // KEY_DELETE
        keys[0x5b] = 125; // KEY_LEFTMETA
        keys[0x5c] = 126; // KEY_RIGHTMETA
        keys[0x5d] = 127; // KEY_COMPOSE
        keys[0x5e] = 116; // KEY_POWER
        keys[0x5f] = 142; // KEY_SLEEP
        keys[0x63] = 143; // KEY_WAKEUP
        keys[0x65] = 217; // KEY_SEARCH
        keys[0x66] = 156; // KEY_BOOKMARKS
        keys[0x67] = 173; // KEY_REFRESH
        keys[0x68] = 128; // KEY_STOP
        keys[0x69] = 159; // KEY_FORWARD
        keys[0x6a] = 158; // KEY_BACK
        keys[0x6b] = 157; // KEY_COMPUTER
        keys[0x6c] = 155; // KEY_MAIL
        keys[0x6d] = 226; // KEY_MEDIA
        return keys;
    }
}
