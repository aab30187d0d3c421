namespace Vgpu.Viewers.Rfb;

/// <summary>
/// XT scancodes, as QEMU's extended key events carry them (rfbproto), as keys of linux/input-event-codes.h, which numbers
/// the old keys alike.
/// </summary>
internal static class XtScancodes
{
    private static readonly byte[] s_codes = CreateCodes();

    /// <summary>The key, or 0 for none.</summary>
    internal static ushort Find(uint scancode) => scancode < (uint)s_codes.Length ? s_codes[scancode] : (ushort)0;

    private static byte[] CreateCodes()
    {
        var codes = new byte[256];
        for (byte code = 1; code <= 88; code++)
        {
            codes[code] = code is 84 or 85 ? (byte)0 : code;
        }

        foreach ((byte scancode, byte code) in Others)
        {
            codes[scancode] = code;
        }

        return codes;
    }

    // From 0x80 on: those that 0xe0 comes before.
    private static ReadOnlySpan<(byte Scancode, byte Code)> Others => new (byte, byte)[]
    {
        (0x54, 99), (0x59, 117), (0x5c, 95), (0x5d, 183), (0x5e, 184), (0x5f, 185),
        (0x70, 93), (0x71, 123), (0x72, 122), (0x73, 89), (0x76, 85), (0x77, 91), (0x78, 90), (0x79, 92), (0x7b, 94), (0x7d, 124), (0x7e, 121),
        (0x90, 165), (0x99, 163), (0x9c, 96), (0x9d, 97), (0xa0, 113), (0xa1, 140), (0xa2, 164), (0xa4, 166), (0xae, 114), (0xb0, 115),
        (0xb2, 172), (0xb5, 98), (0xb7, 99), (0xb8, 100), (0xc6, 119), (0xc7, 102), (0xc8, 103), (0xc9, 104), (0xcb, 105), (0xcd, 106),
        (0xcf, 107), (0xd0, 108), (0xd1, 109), (0xd2, 110), (0xd3, 111), (0xdb, 125), (0xdc, 126), (0xdd, 127), (0xde, 116), (0xdf, 142),
        (0xe3, 143), (0xe5, 217), (0xe6, 156), (0xe7, 173), (0xe8, 128), (0xe9, 159), (0xea, 158), (0xeb, 157), (0xec, 155), (0xed, 226),
    };
}
