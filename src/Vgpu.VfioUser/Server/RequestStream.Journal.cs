using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.VfioUser.Journal;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Server;

// Receiving so that nothing is lost when this process is killed: bytes stay in the socket until their messages are handled,
// or lie in the journal. Descriptors come with a look, and again with a successor's, as long as no byte that was sent with
// them was taken out.
internal sealed partial class RequestStream
{
    /// <summary>Longer messages need not fit into the sender's socket buffer: they are taken out before they are whole.</summary>
    private const int LongMessage = 64 << 10;

    // Unread bytes count against the sender's buffer of some 200 KiB, with 768 bytes at least for each message.
    private const int MostMessagesBehind = 32;
    private const int MostBytesBehind = 32 << 10;

    // How long a look waits before what is left behind is taken out, and the wait goes on without a clock.
    private const int IdleMilliseconds = 100;

    private readonly ConnectionJournal? _journal;
    private readonly PollSet _idle = new();
    private int _messagesBehind;

    // Of the byte at _start, in the client's stream.
    private ulong _position;

    /// <summary>Bytes of the stream whose messages were given out.</summary>
    internal ulong Position => _position;

    /// <summary>Ends a wait in <see cref="Receive"/>, which then returns true with nothing new. Any thread signals it.</summary>
    internal EventFd? Wake { get; init; }

    /// <summary>Begins at the front of the stream of a new client. Throws <see cref="LinuxException"/>.</summary>
    internal void Begin() => Begin(0);

    /// <summary>
    /// Goes on where the journal says, which was taken over. Throws <see cref="InvalidDataException"/> where the socket has
    /// not what it says, and <see cref="LinuxException"/>.
    /// </summary>
    internal void TakeOver(ConnectionJournal journal)
    {
        ref ConversationState state = ref journal.Conversation.Value;
        _position = state.Handled;
        if (state.Consumed - state.Handled is > 0 and <= VfioUserLimits.MaxMessageSize)
        {
            _start = state.PendingOffset;
            _end = _start + (int)(state.Consumed - state.Handled);
        }

        // What was handled and is still there is left: descriptors of what comes next may hang on its end.
        ulong behind = Behind(journal);
        if (behind > (ulong)_socket.Unread())
        {
            throw ConnectionJournal.Refused("its requests are not in the socket");
        }

        Begin((int)behind);
    }

    private void Begin(int offset)
    {
        _socket.SetReceiveTimeout(IdleMilliseconds);
        _socket.SetPeekOffset(offset);
    }

    private bool ReceiveJournaled(ConnectionJournal journal)
    {
        int pending = _end - _start;
        if (pending == 0)
        {
            if ((_messagesBehind >= MostMessagesBehind || Behind(journal) >= MostBytesBehind) && !ConsumeHandled(journal))
            {
                return false;
            }
        }
        else
        {
            _ = MemoryMarshal.TryRead(_buffer.AsSpan(_start, pending), out VfioUserHeader header);
            bool isLong = header.MessageSize > LongMessage;
            if (Array.IndexOf(_owners, _start) >= 0)
            {
                // Its descriptors would not be there for a successor, if it were taken out.
                IsBroken = isLong;
                if (isLong || !ConsumeBefore(journal))
                {
                    return false;
                }
            }
            else if (!ConsumeHandled(journal) || !ConsumePending(journal))
            {
                return false;
            }
            else if (isLong)
            {
                return ReceiveRest(journal, (int)header.MessageSize - pending);
            }
        }

        return PeekBehind(journal);
    }

    private bool PeekBehind(ConnectionJournal journal)
    {
        Span<byte> room = _buffer.AsSpan(_end);
        int received = _socket.Peek(room, _numbers, out int count, out Errno error);
        if (error == Errno.EAGAIN)
        {
            return Idle(journal);
        }

        if (count > 0 && received == room.Length)
        {
            // Whether the descriptors come again with what follows can't be known.
            ReceivedDescriptors.Close(_numbers.AsSpan(0, count));
            IsBroken = true;
            return false;
        }

        return Take(received, count, error) && received > 0;
    }

    // The rest of a long message, straight to where it belongs. It was begun without descriptors, and has none.
    private bool ReceiveRest(ConnectionJournal journal, int length)
    {
        Errno error = Consume(journal, _buffer.AsSpan(_end, length), wait: true, out int received);
        _end += received;
        return error == Errno.EAGAIN ? Idle(journal) : error == Errno.None && received > 0;
    }

    // Nothing comes: takes out what was left, and waits for as long as it takes. False: broken.
    private bool Idle(ConnectionJournal journal)
    {
        if (Array.IndexOf(_owners, _start) >= 0)
        {
            return true;
        }

        if (!ConsumeHandled(journal))
        {
            return false;
        }

        _idle.Clear();
        _ = _idle.Add(_socket.Descriptor, PollEvents.POLLIN);
        if (Wake is not null)
        {
            _ = _idle.Add(Wake.Descriptor, PollEvents.POLLIN);
        }

        // What has begun and was not taken out yet makes the socket readable, and the next receive deals with it.
        _ = _idle.Wait(-1);
        return true;
    }

    private static ulong Behind(ConnectionJournal journal)
    {
        ref ConversationState state = ref journal.Conversation.Value;
        ulong behind = state.Handled - state.Consumed;
        return (long)behind < 0 ? 0 : behind;
    }

    // All that was handled; the bytes are of no use any more.
    private bool ConsumeHandled(ConnectionJournal journal)
    {
        _messagesBehind = 0;
        while (Behind(journal) is > 0 and ulong left)
        {
            int length = (int)Math.Min(left, (ulong)journal.Scratch.Length);
            if (Consume(journal, journal.Scratch.AsSpan(0, length), wait: false, out int received) != Errno.None || received == 0)
            {
                return false;
            }
        }

        return true;
    }

    // All that was looked at of a message that has begun: the same bytes to the same place, where a successor finds them.
    private bool ConsumePending(ConnectionJournal journal)
    {
        ref ConversationState state = ref journal.Conversation.Value;
        int done = (int)(state.Consumed - state.Handled);
        if (done < _end - _start && state.PendingOffset != _start)
        {
            state.PendingOffset = _start;
            journal.Conversation.Commit();
        }

        while (done < _end - _start)
        {
            if (Consume(journal, _buffer.AsSpan(_start + done, _end - _start - done), wait: false, out int received) != Errno.None || received == 0)
            {
                return false;
            }

            done += received;
        }

        return true;
    }

    // What was handled before a message that has begun, with descriptors: unless they were sent in one call with the end of
    // what was handled, and would go with it.
    private bool ConsumeBefore(ConnectionJournal journal)
    {
        int behind = (int)Behind(journal);
        if (behind == 0)
        {
            return true;
        }

        _socket.SetPeekOffset(behind - 1);
        int received = _socket.Peek(journal.Scratch.AsSpan(0, 1), _numbers, out int count, out _);
        ReceivedDescriptors.Close(_numbers.AsSpan(0, count));
        _socket.SetPeekOffset(behind + _end - _start);
        return received == 1 && (count > 0 || ConsumeHandled(journal));
    }

    private Errno Consume(ConnectionJournal journal, Span<byte> target, bool wait, out int received)
    {
        ref ConversationState state = ref journal.Conversation.Value;
        CountedTransfer transfer = journal.Received(state.ReceiveRecord);
        received = 0;
        Errno error = _socket.ReceiveCounted(transfer, target, wait);
        if (error != Errno.None)
        {
            return error;
        }

        uint count = transfer.Count;
        if (count > (uint)target.Length || (wait && transfer.IsTruncated))
        {
            IsBroken = true;
            return Errno.EPROTO;
        }

        received = (int)count;
        state.Consumed += count;
        journal.CommitReceived();
        return Errno.None;
    }

    // Room for the rest of the message that has begun, and for all that a sender's buffer holds behind it. What a successor
    // would look for stays where it is.
    private void MakeJournaledRoom(ConnectionJournal journal)
    {
        ref ConversationState state = ref journal.Conversation.Value;
        bool isTakenOut = state.Consumed - state.Handled is > 0 and <= VfioUserLimits.MaxMessageSize;
        if (!isTakenOut && _buffer.Length - _start < VfioUserLimits.MaxMessageSize + ConnectionJournal.PeekRoom)
        {
            MoveToFront();
        }
    }
}
