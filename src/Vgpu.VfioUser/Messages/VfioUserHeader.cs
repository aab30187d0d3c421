using System.Runtime.InteropServices;
using Vgpu.Linux;

namespace Vgpu.VfioUser.Messages;

/// <summary>Flags of a message's header (vfio-user specification, "Header").</summary>
[Flags]
public enum VfioUserFlags : uint
{
    /// <summary>A request.</summary>
    VFIO_USER_REQUEST = 0,

    /// <summary>A reply.</summary>
    VFIO_USER_REPLY = 1,

    /// <summary>The bits that say which.</summary>
    VFIO_USER_TYPE_MASK = 0xf,

    /// <summary>In a request: no reply is wanted.</summary>
    VFIO_USER_NO_REPLY = 1 << 4,

    /// <summary>In a reply: it is an error, and <see cref="VfioUserHeader.Error"/> says which.</summary>
    VFIO_USER_ERROR = 1 << 5,
}

/// <summary>The 16 bytes before every message, in the host's byte order (vfio-user specification, "Header").</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct VfioUserHeader
{
    /// <summary>Bytes of a header.</summary>
    public const int Length = 16;

    /// <summary>The sender's own; a reply echoes it.</summary>
    public ushort MessageId;

    /// <summary>What is asked; a reply echoes it.</summary>
    public VfioUserCommand Command;

    /// <summary>Bytes of the whole message, header included.</summary>
    public uint MessageSize;

    /// <summary>Type, and what kind of reply is wanted or came.</summary>
    public VfioUserFlags Flags;

    /// <summary>Valid in a reply with <see cref="VfioUserFlags.VFIO_USER_ERROR"/>; 0 is allowed there.</summary>
    public uint Error;

    /// <summary>The type bits alone: a request or a reply.</summary>
    public readonly VfioUserFlags Type => Flags & VfioUserFlags.VFIO_USER_TYPE_MASK;

    /// <summary>Whether the sender waits for no reply, not even for an error.</summary>
    public readonly bool NoReply => (Flags & VfioUserFlags.VFIO_USER_NO_REPLY) != 0;

    /// <summary>A request with <paramref name="payloadLength"/> bytes after the header.</summary>
    public static VfioUserHeader Request(ushort messageId, VfioUserCommand command, int payloadLength, VfioUserFlags flags = 0) => new()
    {
        MessageId = messageId,
        Command = command,
        MessageSize = (uint)(Length + payloadLength),
        Flags = flags,
    };

    /// <summary>The reply to this request with <paramref name="payloadLength"/> bytes after the header.</summary>
    public readonly VfioUserHeader Reply(int payloadLength) => new()
    {
        MessageId = MessageId,
        Command = Command,
        MessageSize = (uint)(Length + payloadLength),
        Flags = VfioUserFlags.VFIO_USER_REPLY,
    };

    /// <summary>The reply to this request that is only an error.</summary>
    public readonly VfioUserHeader Failure(Errno errno) => Reply(0) with
    {
        Flags = VfioUserFlags.VFIO_USER_REPLY | VfioUserFlags.VFIO_USER_ERROR,
        Error = (uint)errno,
    };
}
