using System.Buffers.Binary;
using System.Text;

namespace Vgpu.Screens;

// A DisplayID section inside an EDID extension block: VESA DisplayID 1.3. Its Type I detailed timing (4.4.3) has room for
// modes that EDID's own descriptors have not; the other blocks are those that every section must have.
internal static class DisplayId
{
    private const byte EXTENSION_TAG = 0x70;
    private const byte VERSION = 0x13;
    private const byte STANDALONE_DISPLAY = 0x03;
    private const byte PRODUCT_IDENTIFICATION = 0x00;
    private const byte DISPLAY_PARAMETERS = 0x01;
    private const byte TYPE_1_DETAILED_TIMING = 0x03;
    private const byte DISPLAY_INTERFACE = 0x0f;
    private const byte PREFERRED = 0x80;
    private const byte ASPECT_UNDEFINED = 0x08;
    private const int POSITIVE = 0x8000;

    // Version, length, product type, extension count before the data blocks; the checksum is after them.
    private const int SECTION_HEADER = 4;

    /// <summary>Fills one block of 128 zero bytes. Sizes are in millimetres.</summary>
    internal static void WriteExtension(Span<byte> block, in CvtTiming timing, in EdidIdentity identity, int millimetresAcross, int millimetresDown)
    {
        block[0] = EXTENSION_TAG;
        Span<byte> section = block[1..];
        int end = SECTION_HEADER;
        WriteIdentification(Begin(section, ref end, PRODUCT_IDENTIFICATION, 12), identity);
        WriteParameters(Begin(section, ref end, DISPLAY_PARAMETERS, 12), timing, millimetresAcross, millimetresDown);
        WriteTiming(Begin(section, ref end, TYPE_1_DETAILED_TIMING, 20), timing);

        // DisplayPort 1.4 of four lanes, 8 bits a colour.
        ReadOnlySpan<byte> displayPort = [0xa4, 0x14, 0x02];
        displayPort.CopyTo(Begin(section, ref end, DISPLAY_INTERFACE, 10));

        section[0] = VERSION;
        section[1] = (byte)(end - SECTION_HEADER);
        section[2] = STANDALONE_DISPLAY;
        section[end] = Edid.Checksum(section[..end]);
        block[^1] = Edid.Checksum(block[..^1]);
    }

    private static Span<byte> Begin(Span<byte> section, ref int end, byte tag, byte length)
    {
        section[end] = tag;
        section[end + 2] = length;
        Span<byte> payload = section.Slice(end + 3, length);
        end += 3 + length;
        return payload;
    }

    private static void WriteIdentification(Span<byte> payload, in EdidIdentity identity)
    {
        Encoding.ASCII.GetBytes(identity.ManufacturerId, payload);
        Write(payload[3..], identity.ProductCode);
        BinaryPrimitives.WriteInt32LittleEndian(payload[5..], identity.Serial);
        payload[9] = 0xff;
        payload[10] = (byte)(identity.ModelYear - 2000);
    }

    // Size in tenths of a millimetre, pixels, gamma 2.2, aspect ratio, 8 bits a colour.
    private static void WriteParameters(Span<byte> payload, in CvtTiming timing, int millimetresAcross, int millimetresDown)
    {
        Write(payload, millimetresAcross * 10);
        Write(payload[2..], millimetresDown * 10);
        Write(payload[4..], timing.Width);
        Write(payload[6..], timing.Height);
        payload[9] = 220 - 100;
        double ratio = (double)Math.Max(timing.Width, timing.Height) / Math.Min(timing.Width, timing.Height);
        payload[10] = (byte)Math.Min(255, Math.Round((ratio - 1) * 100));
        payload[11] = (7 << 4) | 7;
    }

    // Every number is stored less one.
    private static void WriteTiming(Span<byte> payload, in CvtTiming timing)
    {
        BinaryPrimitives.WriteInt32LittleEndian(payload, timing.PixelClock - 1);
        payload[3] = PREFERRED | ASPECT_UNDEFINED;
        Write(payload[4..], timing.Width - 1);
        Write(payload[6..], timing.HorizontalBlank - 1);
        Write(payload[8..], (timing.HorizontalFrontPorch - 1) | POSITIVE);
        Write(payload[10..], timing.HorizontalSync - 1);
        Write(payload[12..], timing.Height - 1);
        Write(payload[14..], timing.VerticalBlank - 1);
        Write(payload[16..], timing.VerticalFrontPorch - 1);
        Write(payload[18..], timing.VerticalSync - 1);
    }

    private static void Write(Span<byte> target, int value) => BinaryPrimitives.WriteUInt16LittleEndian(target, (ushort)value);
}
