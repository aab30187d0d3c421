using System.Buffers.Binary;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// What a viewer says once it is served (RFC 6143, 7.5, and rfbproto), out of a buffer of <see cref="BufferSize"/> bytes:
/// every length is checked before anything is taken by it. Synchronous, and allocates nothing.
/// </summary>
internal sealed class ClientMessageParser(IClientMessages target)
{
    /// <summary>The longest message that is taken whole: SetDesktopSize with 255 screens.</summary>
    internal const int BufferSize = 8 + (255 * 16);

    private readonly int[] _encodings = new int[RfbProtocol.MaxEncodings];
    private readonly Rect[] _screens = new Rect[byte.MaxValue];
    private int _skip;

    /// <summary>Bytes of a clipboard are still to come.</summary>
    internal bool IsSkipping => _skip != 0;

    /// <summary>
    /// Takes every whole message at the front; the bytes of them. What is left is the beginning of one, which fits the
    /// buffer. Throws <see cref="RfbViolationException"/>.
    /// </summary>
    internal int Parse(ReadOnlySpan<byte> bytes)
    {
        int done = 0;
        while (done < bytes.Length)
        {
            if (_skip != 0)
            {
                int step = Math.Min(_skip, bytes.Length - done);
                _skip -= step;
                done += step;
                continue;
            }

            int length = ParseOne(bytes[done..]);
            if (length == 0)
            {
                break;
            }

            done += length;
            target.MessageDone();
        }

        return done;
    }

    // The length of the message that was taken, or 0 where it is not whole yet.
    private int ParseOne(ReadOnlySpan<byte> bytes) => bytes[0] switch
    {
        RfbProtocol.SetPixelFormat => SetPixelFormat(bytes),
        RfbProtocol.SetEncodings => SetEncodings(bytes),
        RfbProtocol.FramebufferUpdateRequest => RequestUpdate(bytes),
        RfbProtocol.KeyEvent => Key(bytes),
        RfbProtocol.PointerEvent => Pointer(bytes),
        RfbProtocol.ClientCutText => CutText(bytes),
        RfbProtocol.EnableContinuousUpdates => EnableContinuousUpdates(bytes),
        RfbProtocol.ClientFence => Fence(bytes),
        RfbProtocol.SetDesktopSize => SetDesktopSize(bytes),
        RfbProtocol.QemuMessage => Qemu(bytes),
        byte type => throw new RfbViolationException($"it sent a message of unknown type {type}"),
    };

    private int SetPixelFormat(ReadOnlySpan<byte> bytes)
    {
        const int Length = 4 + RfbPixelFormat.Size;
        if (bytes.Length < Length)
        {
            return 0;
        }

        target.SetPixelFormat(RfbPixelFormat.Read(bytes[4..Length]));
        return Length;
    }

    private int SetEncodings(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 4)
        {
            return 0;
        }

        int count = U16(bytes, 2);
        if (count > RfbProtocol.MaxEncodings)
        {
            throw new RfbViolationException($"it sent {count} encodings; {RfbProtocol.MaxEncodings} are taken");
        }

        int length = 4 + (count * 4);
        if (bytes.Length < length)
        {
            return 0;
        }

        for (int i = 0; i < count; i++)
        {
            _encodings[i] = BinaryPrimitives.ReadInt32BigEndian(bytes[(4 + (i * 4))..]);
        }

        target.SetEncodings(_encodings.AsSpan(0, count));
        return length;
    }

    private int RequestUpdate(ReadOnlySpan<byte> bytes)
    {
        const int Length = 10;
        if (bytes.Length < Length)
        {
            return 0;
        }

        target.RequestUpdate(bytes[1] != 0, RectAt(bytes, 2));
        return Length;
    }

    private int Key(ReadOnlySpan<byte> bytes)
    {
        const int Length = 8;
        if (bytes.Length < Length)
        {
            return 0;
        }

        target.Key(U32(bytes, 4), bytes[1] != 0);
        return Length;
    }

    private int Pointer(ReadOnlySpan<byte> bytes)
    {
        const int Length = 6;
        if (bytes.Length < Length)
        {
            return 0;
        }

        target.Pointer(bytes[1], U16(bytes, 2), U16(bytes, 4));
        return Length;
    }

    // A guest has no clipboard here: the text is thrown away as it comes. A negative length is the extended clipboard, which
    // nobody has been offered.
    private int CutText(ReadOnlySpan<byte> bytes)
    {
        const int Length = 8;
        if (bytes.Length < Length)
        {
            return 0;
        }

        int length = BinaryPrimitives.ReadInt32BigEndian(bytes[4..]);
        if (length is < -RfbProtocol.MaxCutText or > RfbProtocol.MaxCutText)
        {
            throw new RfbViolationException($"it sent a clipboard of {Math.Abs((long)length)} bytes; {RfbProtocol.MaxCutText} are taken");
        }

        _skip = Math.Abs(length);
        return Length;
    }

    private int EnableContinuousUpdates(ReadOnlySpan<byte> bytes)
    {
        const int Length = 10;
        if (bytes.Length < Length)
        {
            return 0;
        }

        target.EnableContinuousUpdates(bytes[1] != 0, RectAt(bytes, 2));
        return Length;
    }

    private int Fence(ReadOnlySpan<byte> bytes)
    {
        const int Header = 9;
        if (bytes.Length < Header)
        {
            return 0;
        }

        int length = bytes[8];
        if (length > RfbProtocol.MaxFencePayload)
        {
            throw new RfbViolationException($"it sent a fence of {length} bytes; {RfbProtocol.MaxFencePayload} are the most");
        }

        if (bytes.Length < Header + length)
        {
            return 0;
        }

        target.Fence(U32(bytes, 4), bytes.Slice(Header, length));
        return Header + length;
    }

    private int SetDesktopSize(ReadOnlySpan<byte> bytes)
    {
        const int Header = 8;
        const int ScreenLength = 16;
        if (bytes.Length < Header)
        {
            return 0;
        }

        int count = bytes[6];
        int length = Header + (count * ScreenLength);
        if (bytes.Length < length)
        {
            return 0;
        }

        for (int i = 0; i < count; i++)
        {
            _screens[i] = RectAt(bytes, Header + (i * ScreenLength) + 4);
        }

        target.SetDesktopSize(U16(bytes, 2), U16(bytes, 4), _screens.AsSpan(0, count));
        return length;
    }

    private int Qemu(ReadOnlySpan<byte> bytes)
    {
        const int Length = 12;
        if (bytes.Length < 2)
        {
            return 0;
        }

        if (bytes[1] != RfbProtocol.QemuExtendedKeyEvent)
        {
            throw new RfbViolationException($"it sent a QEMU message of kind {bytes[1]}, which it was not offered");
        }

        if (bytes.Length < Length)
        {
            return 0;
        }

        target.ExtendedKey(U32(bytes, 4), U32(bytes, 8), U16(bytes, 2) != 0);
        return Length;
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32BigEndian(bytes[at..]);

    private static Rect RectAt(ReadOnlySpan<byte> bytes, int at) => new(U16(bytes, at), U16(bytes, at + 2), U16(bytes, at + 4), U16(bytes, at + 6));
}
