// What a successor must know of a conversation, as it lies in the journal's file: fixed layout.
using System.Runtime.InteropServices;

namespace Vgpu.VfioUser.Journal;

[Flags]
internal enum ConversationFlags
{
    None = 0,

    /// <summary>A client was accepted.</summary>
    Begun = 1,

    /// <summary>VFIO_USER_VERSION succeeded.</summary>
    Negotiated = 2,

    /// <summary>The last message ended the conversation: nothing after it is read.</summary>
    Ended = 4,
}

/// <summary>Requests that were handled, and replies that are due. Written by the connection's thread.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ConversationState
{
    /// <summary>Bytes of the stream whose messages are done, and whose replies are sent or among those that are due.</summary>
    public ulong Handled;

    /// <summary>Bytes that were taken out of the socket, without those that the receive record counts.</summary>
    public ulong Consumed;

    /// <summary>Where the byte at <see cref="Handled"/> lies in the receive buffer, if more than that was taken out.</summary>
    public int PendingOffset;

    /// <summary>The first byte of the reply buffer that is due, without those that the send record counts.</summary>
    public int ReplyStart;

    /// <summary>Where the replies that are due end.</summary>
    public int ReplyEnd;

    /// <summary>The region whose file goes with the first byte of the reply buffer, plus one; 0: none.</summary>
    public int ReplyRegion;

    /// <summary>Which of the two receive records counts.</summary>
    public int ReceiveRecord;

    /// <summary>Which of the two send records counts.</summary>
    public int SendRecord;

    public ConversationFlags Flags;

    /// <summary>max_data_xfer_size of the client, as far as it is used.</summary>
    public int MaxDataXferSize;

    /// <summary>max_msg_fds of the client.</summary>
    public ulong ClientMaxMsgFds;
}

/// <summary>A request of the server's own that is on its way to the client. Written with the sending lock held.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AskState
{
    /// <summary>The first byte that is due, without those that the send record counts.</summary>
    public int Start;

    /// <summary>Bytes of the message.</summary>
    public int End;

    /// <summary>Which of the two send records counts.</summary>
    public int SendRecord;

    /// <summary>Requests whose replies nobody has seen yet, this one included.</summary>
    public int Outstanding;

    /// <summary>Its message ID.</summary>
    public ushort Id;
}
