using Vgpu.Linux;
using Vgpu.VfioUser.Journal;

namespace Vgpu.VfioUser;

// How a connection goes on that another process has begun, and how it is left to the next one.
public sealed partial class VfioUserConnection
{
    private readonly ConnectionJournal? _journal;
    private readonly IConnectionKeeper? _keeper;
    private readonly EventFd? _wake;
    private bool _isResumed;
    private bool _isKept;
    private volatile bool _isYielding;
    private volatile bool _hasYielded;

    /// <summary>
    /// Takes over what a predecessor left in the journal; <paramref name="restore"/> is called once the device is open and
    /// has its maps and interrupts. Before <see cref="Start"/>. On an exception nothing is left of it but the socket.
    /// </summary>
    internal void TakeOver(KeptClient client, Action? restore)
    {
        ConnectionJournal journal = _journal!;
        try
        {
            journal.TakeOver(_device.Regions.Count);
            ref ConversationState state = ref journal.Conversation.Value;
            _replies.TakeOver(journal, [.. _device.Regions.Select(region => region.File)]);
            _requests.TakeOver(journal);
            _clientMemory.TakeOver(journal);
            if ((state.Flags & ConversationFlags.Negotiated) != 0)
            {
                _session.TakeOver(client, state.ClientMaxMsgFds, state.MaxDataXferSize, _thread);
            }

            restore?.Invoke();
            _isResumed = true;
            _isKept = _keeper is not null;
        }
        catch
        {
            if (_session.IsNegotiated)
            {
                _device.Iommu.ClientMemory = null;
                _device.Close();
                _device.Iommu.UnmapAll();
            }

            throw;
        }
    }

    /// <summary>
    /// Stops between two messages and leaves everything as it is; true once it has, or has ended. False when the time passed:
    /// it stops as soon as the client takes its replies. Any thread but the connection's.
    /// </summary>
    internal bool Yield(TimeSpan timeout)
    {
        lock (_socketLock)
        {
            _isYielding = true;
            if (!_closed)
            {
                _wake?.Signal();
            }
        }

        return _thread.Join(timeout);
    }

    /// <summary>Closes what this has of a connection that was never started, and leaves the conversation to others.</summary>
    internal void Leave() => CloseSocket();

    // Before the first message. False: a predecessor came to the end.
    private bool BeginJournaled(out string? reason)
    {
        reason = null;
        if (!_isResumed)
        {
            // In this order: whoever knows of the client finds its journal.
            if (_journal is not null)
            {
                _journal.Begin();
                _requests.Begin();
            }

            _isKept = _keeper is not null;
            _keeper?.ClientAccepted(_socket.Descriptor);
            return true;
        }

        if (_session.IsNegotiated)
        {
            Welcome();
        }

        _clientMemory.SendDue(_journal!);
        _replies.Flush();
        reason = (_journal!.Conversation.Value.Flags & ConversationFlags.Ended) != 0 ? "it had broken the protocol" : null;
        return reason is null && !_replies.IsBroken;
    }

    // The message that was handled counts as done from here on, and its reply as due.
    private void Commit(bool goesOn)
    {
        if (_journal is null)
        {
            return;
        }

        ref ConversationState state = ref _journal.Conversation.Value;
        state.Handled = _requests.Position;
        _replies.AddTo(ref state);
        if (_session.IsNegotiated && (state.Flags & ConversationFlags.Negotiated) == 0)
        {
            state.Flags |= ConversationFlags.Negotiated;
            state.ClientMaxMsgFds = _session.ClientMaxMsgFds;
            state.MaxDataXferSize = _clientMemory.Most;
        }

        state.Flags |= goesOn ? 0 : ConversationFlags.Ended;
        _journal.Conversation.Commit();
    }

    // First the answers come that a thread of the device waits for.
    private bool MustYield => _isYielding && !_clientMemory.IsBusy;

    private void EndYield()
    {
        _requests.Clear();
        _clientMemory.End();
        _device.Iommu.ClientMemory = null;
        _clientMemory.Dispose();
        CloseSocket();
    }
}
