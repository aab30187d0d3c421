using System.Buffers.Binary;

namespace Vgpu.Screens;

// A DisplayID section inside an EDID extension block: VESA DisplayID 1.3, with one Type I detailed timing (4.4.3),
// which has room for modes that EDID's own descriptors have not.
internal static class DisplayId
{
    private const byte EXTENSION_TAG = 0x70;
    private const byte VERSION = 0x13;
    private const byte STANDALONE_DISPLAY = 0x03;
    private const byte TYPE_1_DETAILED_TIMING = 0x03;
    private const int TYPE_1_LENGTH = 20;
    private const int PREFERRED = 0x80;
    private const int ASPECT_UNDEFINED = 0x08;
    private const int POSITIVE = 0x8000;

    internal static void WriteExtension(Span<byte> block, in CvtTiming timing)
    {
        block[0] = EXTENSION_TAG;
        Span<byte> section = block[1..];
        section[0] = VERSION;
        section[1] = 3 + TYPE_1_LENGTH;
        section[2] = STANDALONE_DISPLAY;
        section[3] = 0;
        section[4] = TYPE_1_DETAILED_TIMING;
        section[5] = 0;
        section[6] = TYPE_1_LENGTH;
        WriteTiming(section.Slice(7, TYPE_1_LENGTH), timing);
        section[7 + TYPE_1_LENGTH] = Edid.Checksum(section[..(7 + TYPE_1_LENGTH)]);
        block[^1] = Edid.Checksum(block[..^1]);
    }

    // Every number is stored less one.
    private static void WriteTiming(Span<byte> timing, in CvtTiming cvt)
    {
        BinaryPrimitives.WriteInt32LittleEndian(timing, cvt.PixelClock - 1);
        timing[3] = PREFERRED | ASPECT_UNDEFINED;
        Write(timing[4..], cvt.Width - 1);
        Write(timing[6..], cvt.HorizontalBlank - 1);
        Write(timing[8..], (cvt.HorizontalFrontPorch - 1) | POSITIVE);
        Write(timing[10..], cvt.HorizontalSync - 1);
        Write(timing[12..], cvt.Height - 1);
        Write(timing[14..], cvt.VerticalBlank - 1);
        Write(timing[16..], cvt.VerticalFrontPorch - 1);
        Write(timing[18..], cvt.VerticalSync - 1);
    }

    private static void Write(Span<byte> target, int value) => BinaryPrimitives.WriteUInt16LittleEndian(target, (ushort)value);
}
