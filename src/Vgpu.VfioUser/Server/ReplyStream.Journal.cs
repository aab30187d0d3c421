using Vgpu.Linux;
using Vgpu.VfioUser.Journal;

namespace Vgpu.VfioUser.Server;

// Replies that a successor sends where this process can't any more: they lie in the journal, are due from the store that
// commits their message on, and the kernel counts there what of them it took.
internal sealed partial class ReplyStream
{
    private readonly ConnectionJournal? _journal;

    // Of the one reply that is due, with its region.
    private FileDescriptor? _file;
    private int _fileRegion;

    /// <summary>Nothing is sent but what lies in the journal and was committed.</summary>
    internal bool IsJournaled => _journal is not null;

    /// <summary>As <see cref="Begin"/>, for <see cref="CommitWithFile"/>: nothing else is due.</summary>
    internal Span<byte> BeginAlone(int payloadLength)
    {
        if (IsJournaled)
        {
            Flush();
        }

        return Begin(payloadLength);
    }

    /// <summary>Adds the message's reply to the state that is about to be committed.</summary>
    internal void AddTo(ref ConversationState state)
    {
        state.ReplyEnd = _length;
        state.ReplyRegion = _file is null ? 0 : _fileRegion + 1;
    }

    /// <summary>
    /// Goes on with what a predecessor left to be sent. Throws <see cref="InvalidDataException"/> where the file that goes
    /// with it is not there.
    /// </summary>
    internal void TakeOver(ConnectionJournal journal, ReadOnlySpan<FileDescriptor?> regionFiles)
    {
        ref ConversationState state = ref journal.Conversation.Value;
        _length = state.ReplyEnd;
        if (state.ReplyRegion > 0 && state is { ReplyStart: 0, ReplyEnd: > 0 })
        {
            _fileRegion = state.ReplyRegion - 1;
            _file = regionFiles[_fileRegion] ?? throw ConnectionJournal.Refused("a reply has a file that this device has not");
        }
    }

    private void SendJournaled(ConnectionJournal journal)
    {
        ref ConversationState state = ref journal.Conversation.Value;
        lock (Sending)
        {
            while (!IsBroken && state.ReplyStart < state.ReplyEnd)
            {
                ReadOnlySpan<byte> due = _buffer.AsSpan(state.ReplyStart, state.ReplyEnd - state.ReplyStart);
                _numbers[0] = _file?.Number ?? 0;
                CountedTransfer transfer = journal.Sent(state.SendRecord);
                Errno errno = _socket.SendCounted(transfer, due, _numbers.AsSpan(0, _file is null ? 0 : 1));
                uint sent = transfer.Count;
                if (errno != Errno.None || sent == 0 || sent > (uint)due.Length)
                {
                    IsBroken = true;
                    break;
                }

                // With the first byte it is gone.
                _file = null;
                state.ReplyRegion = 0;
                state.ReplyStart += (int)sent;
                if (state.ReplyStart == state.ReplyEnd)
                {
                    state.ReplyStart = state.ReplyEnd = 0;
                }

                journal.CommitSent();
            }
        }

        _length = 0;
        _file = null;
    }
}
