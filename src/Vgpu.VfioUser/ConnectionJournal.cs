using Vgpu.Linux;
using Vgpu.VfioUser.Journal;

namespace Vgpu.VfioUser;

/// <summary>
/// What outlives the process that serves a client: how far its stream of messages was handled, the replies that are due, and
/// what was agreed on, in a memory file that another process keeps. With the client's descriptors (<see cref="KeptClient"/>)
/// a successor goes on at the very byte, wherever the old one was killed: see <see cref="VfioUserServer.Resume"/>.
/// </summary>
/// <remarks>
/// <para>
/// Requests stay in the socket until they are handled: they are looked at with SO_PEEK_OFF and taken out afterwards, so that
/// none is lost. After each message one store commits it together with its reply; at most one message, whose effect was
/// there and not yet committed, is carried out twice. Counts of what was taken out and sent are stored by the kernel within
/// the calls (<see cref="CountedTransfer"/>), so that no reply is sent twice.
/// </para>
/// <para>
/// One server at a time has the file: the old process is gone, not only told to go. The old one may have been taken over by a
/// client and is not believed: a file that says what can't be is refused. It holds bytes of the guest.
/// </para>
/// </remarks>
public sealed unsafe class ConnectionJournal : IDisposable
{
    /// <summary>Bytes behind a message that has begun: more than fit into any sender's socket buffer.</summary>
    internal const int PeekRoom = 512 << 10;

    internal const int ScratchLength = 64 << 10;
    internal const int RequestsLength = 2 << 20;
    internal const int RepliesLength = VfioUserLimits.MaxMessageSize + (64 << 10);

    // Of the layout: a server reads no file of another.
    private const uint LayoutVersion = 1;
    private const int ConversationAt = 64;
    private const int AskAt = 512;
    private const int TransfersAt = 1024;
    private const int ScratchAt = 4096;
    private const int RequestsAt = ScratchAt + ScratchLength;
    private const int RepliesAt = RequestsAt + RequestsLength;
    private const int AsksAt = RepliesAt + (2 << 20);
    private const int FileLength = AsksAt + (2 << 20);

    private readonly MemoryMapping _memory;

    /// <summary>
    /// Maps a file that <see cref="CreateFile"/> made, which stays the caller's. Throws <see cref="InvalidDataException"/>
    /// where it is none of this version, and <see cref="LinuxException"/>.
    /// </summary>
    public ConnectionJournal(FileDescriptor file)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (file.Inspect().Size != FileLength || (MemFd.GetSeals(file) & Seals.F_SEAL_SHRINK) == 0)
        {
            throw Refused("it has another length, or can be cut");
        }

        _memory = MemoryMapping.Share(file, 0, FileLength, MemoryProtection.ReadWrite);
        byte* start = _memory.Pointer;
        if (Volatile.Read(ref *(uint*)start) != LayoutVersion)
        {
            _memory.Dispose();
            throw Refused("it is of another version");
        }

        // Sound, here and below: parts of the mapping, whose length was checked and can't change.
        Conversation = new TwofoldRecord<ConversationState>(start + ConversationAt);
        Ask = new TwofoldRecord<AskState>(start + AskAt);
        Scratch = new WireBuffer(start + ScratchAt, ScratchLength, this);
        Requests = new WireBuffer(start + RequestsAt, RequestsLength, this);
        Replies = new WireBuffer(start + RepliesAt, RepliesLength, this);
        Asks = new WireBuffer(start + AsksAt, VfioUserLimits.MaxMessageSize, this);
    }

    /// <summary>
    /// Bytes of the client's stream that are handled, as the file says: no more than a claim of the process that serves. Any
    /// process that maps the file. A server that lives has what is unread in the socket (<see cref="UnixSocket.Unread"/>) at
    /// <see cref="Handled"/> - <see cref="Consumed"/> bytes soon; one that hangs does not.
    /// </summary>
    public ulong Handled => Conversation.Read().Handled;

    /// <summary>Bytes that were taken out of the socket; as <see cref="Handled"/>.</summary>
    public ulong Consumed
    {
        get
        {
            ConversationState state = Conversation.Read();
            return state.Consumed + Received(state.ReceiveRecord).Count;
        }
    }

    internal TwofoldRecord<ConversationState> Conversation { get; }

    internal TwofoldRecord<AskState> Ask { get; }

    /// <summary>Where bytes go that were handled.</summary>
    internal WireBuffer Scratch { get; }

    internal WireBuffer Requests { get; }

    internal WireBuffer Replies { get; }

    internal WireBuffer Asks { get; }

    /// <summary>Makes a file for one device's connections: 6 MiB of address space, of which idle ones use little.</summary>
    public static FileDescriptor CreateFile()
    {
        FileDescriptor file = MemFd.Create("vgpu-journal", FileLength);
        try
        {
            using var memory = MemoryMapping.Share(file, 0, ScratchAt, MemoryProtection.ReadWrite);
            *(uint*)memory.Pointer = LayoutVersion;
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Unmaps it: after the server is stopped or has yielded.</summary>
    public void Dispose() => _memory.Dispose();

    internal CountedTransfer Received(int record) => Transfer(record & 1);

    internal CountedTransfer Sent(int record) => Transfer(2 + (record & 1));

    internal CountedTransfer Asked(int record) => Transfer(4 + (record & 1));

    /// <summary>
    /// A new client, of whom nobody has read anything: whatever there was of another is gone. A server does so for clients that
    /// it accepts; whoever accepts one in its place, for <see cref="VfioUserServer.Resume"/>, does it before. One thread, and no
    /// server with this journal.
    /// </summary>
    public void Begin()
    {
        for (int i = 0; i < 6; i++)
        {
            Transfer(i).Clear();
        }

        Conversation.Value = new ConversationState { Flags = ConversationFlags.Begun };
        Conversation.Commit();
        Ask.Value = default;
        Ask.Commit();
    }

    /// <summary>
    /// Takes over what a predecessor left, with what the kernel counted added. Throws <see cref="InvalidDataException"/>
    /// where no server of these <paramref name="regions"/> can have left it.
    /// </summary>
    internal void TakeOver(int regions)
    {
        Conversation.TakeOver();
        Ask.TakeOver();
        ref ConversationState state = ref Conversation.Value;
        ulong received = Received(state.ReceiveRecord).Count;
        uint sent = Sent(state.SendRecord).Count;
        if ((state.Flags & ConversationFlags.Begun) == 0)
        {
            throw Refused("it knows of no client");
        }

        state.Consumed += received;
        ulong ahead = state.Consumed - state.Handled;
        ulong behind = state.Handled - state.Consumed;
        bool isPending = ahead is > 0 and <= VfioUserLimits.MaxMessageSize;
        if ((!isPending && behind > RequestsLength) || (isPending && (uint)state.PendingOffset > RequestsLength - VfioUserLimits.MaxMessageSize - PeekRoom))
        {
            throw Refused("its requests are nowhere");
        }

        if ((uint)state.ReplyEnd > RepliesLength || (uint)state.ReplyStart > (uint)state.ReplyEnd || sent > (uint)(state.ReplyEnd - state.ReplyStart)
            || (uint)state.ReplyRegion > (uint)regions || (uint)state.MaxDataXferSize > VfioUserLimits.MaxDataXferSize)
        {
            throw Refused("its replies are nowhere");
        }

        ref AskState ask = ref Ask.Value;
        uint asked = Asked(ask.SendRecord).Count;
        if ((uint)ask.End > VfioUserLimits.MaxMessageSize || (uint)ask.Start > (uint)ask.End || asked > (uint)(ask.End - ask.Start)
            || ask.Outstanding is < 0 or > 1 << 20)
        {
            throw Refused("its own requests are nowhere");
        }

        state.ReplyStart += (int)sent;
        if (state.ReplyStart == state.ReplyEnd)
        {
            state.ReplyStart = state.ReplyEnd = state.ReplyRegion = 0;
        }

        ask.Start += (int)asked;
        state.ReceiveRecord = Next(state.ReceiveRecord);
        Received(state.ReceiveRecord).Clear();
        CommitSent();
        CommitAsked();
    }

    /// <summary>Commits the conversation, in which the receive record's count is contained by now.</summary>
    internal void CommitReceived()
    {
        ref ConversationState state = ref Conversation.Value;
        state.ReceiveRecord = Next(state.ReceiveRecord);
        Received(state.ReceiveRecord).Clear();
        Conversation.Commit();
    }

    /// <summary>Commits the conversation, in which the send record's count is contained by now.</summary>
    internal void CommitSent()
    {
        ref ConversationState state = ref Conversation.Value;
        state.SendRecord = Next(state.SendRecord);
        Sent(state.SendRecord).Clear();
        Conversation.Commit();
    }

    /// <summary>Commits a request of the server's own, in which its send record's count is contained by now.</summary>
    internal void CommitAsked()
    {
        ref AskState ask = ref Ask.Value;
        ask.SendRecord = Next(ask.SendRecord);
        Asked(ask.SendRecord).Clear();
        Ask.Commit();
    }

    internal static InvalidDataException Refused(string reason) =>
        new($"the journal can't be gone on from: {reason}; end the client's device and attach it anew");

    // The one that does not count now: it may be cleared before it does.
    private static int Next(int record) => (record + 1) & 1;

    private CountedTransfer Transfer(int index) => new(_memory.Pointer + TransfersAt + (index * CountedTransfer.Length));
}
