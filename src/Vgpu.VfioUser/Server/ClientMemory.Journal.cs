using Vgpu.Linux;
using Vgpu.VfioUser.Journal;

namespace Vgpu.VfioUser.Server;

// Requests of the server's own with a journal: one that has begun to go out is sent to its end by a successor, and the
// replies to those whose sender is gone are dropped there.
internal sealed unsafe partial class ClientMemory
{
    private readonly ConnectionJournal? _journal;

    // What a predecessor began to send goes out first. Guarded by _waiter.
    private bool _isHeld;

    /// <summary>Whether somebody waits for a reply. Any thread.</summary>
    internal bool IsBusy
    {
        get
        {
            lock (_waiter)
            {
                return _waiting;
            }
        }
    }

    /// <summary>The most bytes that the client takes at once.</summary>
    internal int Most => _most;

    /// <summary>Goes on after a predecessor: accesses wait until <see cref="SendDue"/> was called.</summary>
    internal void TakeOver(ConnectionJournal journal)
    {
        ref AskState state = ref journal.Ask.Value;
        _id = state.Id;

        // One more than are known of: the one that was counted last may have been answered while it was replaced.
        _abandoned = state.Outstanding + 1;
        _isHeld = true;
    }

    /// <summary>
    /// Sends the rest of what a predecessor began to send; what it had not begun, nobody waits for. Connection thread, before
    /// anything else is sent.
    /// </summary>
    internal void SendDue(ConnectionJournal journal)
    {
        ref AskState state = ref journal.Ask.Value;
        lock (_sending)
        {
            _ = state.Start > 0 ? SendRest(journal) : Errno.None;
        }

        lock (_waiter)
        {
            _isHeld = false;
            Monitor.PulseAll(_waiter);
        }
    }

    // _waiter held. False: it ended, or takes too long.
    private bool WaitForTurn()
    {
        long deadline = Environment.TickCount64 + _timeout;
        while (_isHeld && !_ended)
        {
            int left = (int)Math.Max(0, deadline - Environment.TickCount64);
            if (!Monitor.Wait(_waiter, left) && left == 0)
            {
                return false;
            }
        }

        return !_ended;
    }

    // _sending held.
    private Errno SendJournaled(ConnectionJournal journal, ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        // Nothing of the last one is due: it was sent whole, or the conversation is over.
        ref AskState state = ref journal.Ask.Value;
        head.CopyTo(journal.Asks.Span);
        body.CopyTo(journal.Asks.AsSpan(head.Length));
        state.Start = 0;
        state.End = head.Length + body.Length;
        state.Id = _id;
        lock (_waiter)
        {
            state.Outstanding = Math.Max(_abandoned, 0) + 1;
        }

        journal.CommitAsked();
        return SendRest(journal);
    }

    // _sending held.
    private Errno SendRest(ConnectionJournal journal)
    {
        ref AskState state = ref journal.Ask.Value;
        while (state.Start < state.End)
        {
            ReadOnlySpan<byte> due = journal.Asks.AsSpan(state.Start, state.End - state.Start);
            CountedTransfer transfer = journal.Asked(state.SendRecord);
            Errno errno = _main.SendCounted(transfer, due, []);
            uint sent = transfer.Count;
            if (errno != Errno.None || sent == 0 || sent > (uint)due.Length)
            {
                return errno == Errno.None ? Errno.EPROTO : errno;
            }

            state.Start += (int)sent;
            journal.CommitAsked();
        }

        return Errno.None;
    }
}
