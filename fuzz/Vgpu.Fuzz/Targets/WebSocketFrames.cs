using System.Buffers.Binary;
using Vgpu.Viewers.Web;

namespace Vgpu.Fuzz.Targets;

/// <summary>Reads a client's frames (RFC 6455, 5.2) as plainly as can be.</summary>
internal static class WebSocketFrames
{
    private const int MostInControl = 125;

    /// <summary>All bytes of binary messages up to a close, to the first thing that must not be, or to the end.</summary>
    /// <returns>The bytes, and whether nothing stood there that must not.</returns>
    internal static (List<byte> Bytes, bool IsClean) Read(ReadOnlySpan<byte> said)
    {
        var bytes = new List<byte>();
        bool isWithin = false;
        int messageBytes = 0;
        int empty = 0;
        while (!said.IsEmpty)
        {
            if (said.Length < 2 || !TryLength(said, out ulong length, out int header))
            {
                // What is cut off within a frame's head has said nothing yet, right or wrong.
                return (bytes, false);
            }

            int opcode = said[0] & 15;
            bool isLast = (said[0] & 0x80) != 0;
            bool isControl = opcode >= 8;
            bool isRight = (said[0] & 0x70) == 0 && (said[1] & 0x80) != 0 && opcode is 0 or 2 or 8 or 9 or 10
                && (isControl ? isLast && length <= MostInControl : (opcode == 0) == isWithin) && length <= long.MaxValue;
            // A close may say something that it must not; nothing comes after it either way.
            if (!isRight || opcode == 8)
            {
                return (bytes, isRight && length == 0);
            }

            int count = (int)Math.Min(length, (ulong)(said.Length - header));
            if (!isControl)
            {
                for (int i = 0; i < count; i++)
                {
                    bytes.Add((byte)(said[header + i] ^ said[header - 4 + (i % 4)]));
                }

                isWithin = !isLast;
                messageBytes += count;
                empty = length == 0 ? empty + 1 : 0;
                if (messageBytes > BoundedWebSocketStream.MostMessageBytes || empty > BoundedWebSocketStream.MostEmptyFrames || (ulong)count < length)
                {
                    return (bytes, false);
                }

                messageBytes = isLast ? 0 : messageBytes;
            }

            said = said[(header + count)..];
        }

        return (bytes, true);
    }

    // With the mask: all of a head, or false where it is cut off.
    private static bool TryLength(ReadOnlySpan<byte> said, out ulong length, out int header)
    {
        length = (ulong)(said[1] & 0x7f);
        header = 2 + (length == 126 ? 2 : length == 127 ? 8 : 0) + 4;
        if (said.Length < header)
        {
            return false;
        }

        length = length switch
        {
            126 => BinaryPrimitives.ReadUInt16BigEndian(said[2..]),
            127 => BinaryPrimitives.ReadUInt64BigEndian(said[2..]),
            _ => length,
        };
        return true;
    }
}
