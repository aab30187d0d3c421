using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// What a viewer asked for and is owed: written as its messages come, read by whoever writes to it. All of it is bounded.
/// Any thread.
/// </summary>
internal sealed class ViewerState : IDisposable
{
    private const int MaxReplies = 8192;
    private const int MaxResizeAnswers = 16;

    private readonly Lock _lock = new();
    private readonly Queue<(ushort Reason, ushort Status)> _sizeReports = new();
    private readonly byte[] _fence = new byte[RfbProtocol.MaxFencePayload];
    private OutputBuffer _replies = new(256);
    private OutputBuffer _spare = new(256);
    private ViewerFormat _format = new(RfbPixelFormat.Native);
    private ViewerEncodings _encodings = new();
    private Rect _requested;
    private Rect _continuous;
    private (uint Flags, int Length)? _fenceToCome;
    private bool _isRequested;
    private bool _owesExtendedKeys;

    internal ViewerEncodings Encodings
    {
        get
        {
            lock (_lock)
            {
                return _encodings;
            }
        }
    }

    /// <summary>Whether the next update says more than what the screen shows.</summary>
    internal bool OwesExtras
    {
        get
        {
            lock (_lock)
            {
                return _owesExtendedKeys || _sizeReports.Count != 0;
            }
        }
    }

    internal void SetFormat(RfbPixelFormat format)
    {
        var made = new ViewerFormat(format);
        lock (_lock)
        {
            _format = made;
        }
    }

    internal void SetEncodings(ReadOnlySpan<int> encodings)
    {
        var made = ViewerEncodings.From(encodings);
        lock (_lock)
        {
            if (made.ContinuousUpdates && !_encodings.ContinuousUpdates)
            {
                Reply(RfbProtocol.EndOfContinuousUpdates);
            }

            if (made.Fence && !_encodings.Fence)
            {
                ReplyFence(RfbProtocol.FenceRequest, []);
            }

            _owesExtendedKeys |= made.ExtendedKeys && !_encodings.ExtendedKeys;
            if (made.ExtendedDesktopSize && !_encodings.ExtendedDesktopSize)
            {
                Report(RfbProtocol.ReasonServer, RfbProtocol.ResizeDone);
            }

            _encodings = made;
        }
    }

    internal void Request(bool incremental, Rect rect)
    {
        lock (_lock)
        {
            // While updates come by themselves, asking for changes means nothing.
            if (incremental && !_continuous.IsEmpty)
            {
                return;
            }

            _isRequested = true;
            _requested = _requested.Union(rect);
            if (!incremental && _encodings.ExtendedDesktopSize && _sizeReports.Count == 0)
            {
                Report(RfbProtocol.ReasonServer, RfbProtocol.ResizeDone);
            }
        }
    }

    internal void SetContinuous(bool enable, Rect rect)
    {
        lock (_lock)
        {
            _continuous = enable ? rect : default;
            if (!enable)
            {
                Reply(RfbProtocol.EndOfContinuousUpdates);
            }
        }
    }

    /// <summary>
    /// A fence that asks for an answer. What comes after SyncNext takes effect with the answer, so that one waits for
    /// the next message to be taken.
    /// </summary>
    internal void AnswerFence(uint flags, ReadOnlySpan<byte> payload)
    {
        const uint understood = RfbProtocol.FenceBlockBefore | RfbProtocol.FenceBlockAfter | RfbProtocol.FenceSyncNext;
        lock (_lock)
        {
            FlushFence();
            payload.CopyTo(_fence);
            _fenceToCome = (flags & understood, payload.Length);
            if ((flags & RfbProtocol.FenceSyncNext) == 0)
            {
                FlushFence();
            }
        }
    }

    /// <summary>Another message has been taken than a fence; whether an answer is to be written.</summary>
    internal bool FlushFence()
    {
        lock (_lock)
        {
            if (_fenceToCome is not (uint flags, int length))
            {
                return false;
            }

            _fenceToCome = null;
            ReplyFence(flags, _fence.AsSpan(0, length));
            return true;
        }
    }

    /// <summary>The screen's size is to be told, with why.</summary>
    internal void AnswerResize(ushort reason, ushort status)
    {
        lock (_lock)
        {
            Report(reason, status);
        }
    }

    /// <summary>All of the screen is wanted, whatever part was asked for: its size has changed.</summary>
    internal void Widen(Rect bounds)
    {
        lock (_lock)
        {
            _requested = _isRequested ? bounds : default;
            _continuous = _continuous.IsEmpty ? default : bounds;
        }
    }

    /// <summary>What is to be written now, of one moment: replies come first, and what follows is in this format.</summary>
    internal ViewerTurn Take(OutputBuffer to)
    {
        OutputBuffer replies;
        ViewerTurn turn;
        lock (_lock)
        {
            replies = _replies;
            (_replies, _spare) = (_spare, _replies);
            turn = new ViewerTurn(_format, _encodings, _isRequested ? _requested.Union(_continuous) : _continuous, !_continuous.IsEmpty);
        }

        to.Bytes(replies.Written.Span);
        replies.Clear();
        return turn;
    }

    internal bool TryTakeSizeReport(out (ushort Reason, ushort Status) report)
    {
        lock (_lock)
        {
            return _sizeReports.TryDequeue(out report);
        }
    }

    internal bool TakeExtendedKeys()
    {
        lock (_lock)
        {
            bool owes = _owesExtendedKeys;
            _owesExtendedKeys = false;
            return owes;
        }
    }

    /// <summary>What was asked for is on its way.</summary>
    internal void Answered()
    {
        lock (_lock)
        {
            _isRequested = false;
            _requested = default;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _replies.Dispose();
            _spare.Dispose();
        }
    }

    private void Report(ushort reason, ushort status)
    {
        if (_sizeReports.Count >= MaxResizeAnswers)
        {
            throw new RfbViolationException("it asks for sizes faster than it takes the answers");
        }

        _sizeReports.Enqueue((reason, status));
    }

    private void Reply(byte message)
    {
        CheckReplies();
        _replies.U8(message);
    }

    private void ReplyFence(uint flags, ReadOnlySpan<byte> payload)
    {
        CheckReplies();
        _replies.U8(RfbProtocol.ServerFence);
        _replies.Padding(3);
        _replies.U32(flags);
        _replies.U8((byte)payload.Length);
        _replies.Bytes(payload);
    }

    private void CheckReplies()
    {
        if (_replies.Length > MaxReplies)
        {
            throw new RfbViolationException("it asks faster than it takes the answers");
        }
    }
}
