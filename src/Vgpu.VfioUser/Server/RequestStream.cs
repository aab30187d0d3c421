using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.VfioUser.Journal;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Server;

/// <summary>
/// Cuts what a client sends into messages (vfio-user specification, "Header"), wherever the kernel split it, and finds
/// out whose the descriptors are. Connection thread only; allocates nothing unless descriptors come.
/// </summary>
/// <remarks>
/// One recvmsg joins earlier messages in front of one that carries descriptors, and stops after it: descriptors belong
/// to the last message of which a byte came in that read. The message that was begun before it may hold some as well:
/// two sets. In the middle of a message more may come, each with a set, as long as there is one.
/// </remarks>
internal sealed partial class RequestStream
{
    private const int NoOwner = -1;
    private const int MostSets = 16;

    private readonly UnixSocket _socket;
    private readonly WireBuffer _buffer;
    private readonly int[] _numbers = new int[UnixSocket.SCM_MAX_FD];
    private int _start;
    private int _end;
    private readonly ReceivedDescriptors[] _sets = new ReceivedDescriptors[MostSets];
    private readonly int[] _owners = new int[MostSets];
    private int _currentSet = NoOwner;

    /// <summary>With a journal the buffer is the journal's; see RequestStream.Journal.cs.</summary>
    internal RequestStream(UnixSocket socket, WireBuffer buffer, ConnectionJournal? journal = null)
    {
        _socket = socket;
        _buffer = buffer;
        _journal = journal;
        _owners.AsSpan().Fill(NoOwner);
        for (int i = 0; i < MostSets; i++)
        {
            _sets[i] = new ReceivedDescriptors();
        }
    }

    /// <summary>What came with the message that <see cref="TryNext"/> gave last; null for most.</summary>
    internal ReceivedDescriptors? Descriptors => _currentSet == NoOwner ? null : _sets[_currentSet];

    /// <summary>The client broke the framing: nothing that follows can be understood.</summary>
    internal bool IsBroken { get; private set; }

    /// <summary>Waits for more bytes; false at the end of the stream. Invalidates the last payload.</summary>
    internal bool Receive()
    {
        MakeRoom();
        return _journal is null ? ReceiveBehind() : ReceiveJournaled(_journal);
    }

    /// <summary>
    /// The next whole message; false when more bytes are needed or the framing is broken. The payload is valid until
    /// the next <see cref="Receive"/>.
    /// </summary>
    internal bool TryNext(out VfioUserHeader header, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (IsBroken || !MemoryMarshal.TryRead(_buffer.AsSpan(_start, _end - _start), out header))
        {
            header = default;
            return false;
        }

        if (!IsLengthValid(header.MessageSize))
        {
            IsBroken = true;
            return false;
        }

        int length = (int)header.MessageSize;
        if (_end - _start < length)
        {
            return false;
        }

        payload = _buffer.AsSpan(_start + VfioUserHeader.Length, length - VfioUserHeader.Length);
        _currentSet = Array.IndexOf(_owners, _start);
        _start += length;
        _position += (uint)length;
        _messagesBehind++;
        return true;
    }

    /// <summary>The message that <see cref="TryNext"/> gave is dealt with: closes descriptors of it that nobody took.</summary>
    internal void EndMessage()
    {
        if (_currentSet != NoOwner)
        {
            _sets[_currentSet].Clear();
            _owners[_currentSet] = NoOwner;
            _currentSet = NoOwner;
        }
    }

    /// <summary>
    /// In the middle of a message: receives behind what is here and moves nothing, so that the message's payload stays
    /// valid. ENOBUFS: there is no room for it, or for its descriptors; ECONNRESET: the end of the stream.
    /// </summary>
    internal bool ReceiveMore(out Errno errno)
    {
        bool received = _end < _buffer.Length && ReceiveBehind();
        errno = received ? Errno.None : _end == _buffer.Length || IsBroken ? Errno.ENOBUFS : Errno.ECONNRESET;
        return received;
    }

    /// <summary>In the middle of a message: the first whole reply behind it. What lies before that reply stays for later.</summary>
    internal bool TryPeekReply(out int position, out VfioUserHeader header, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        for (position = _start; MemoryMarshal.TryRead(_buffer.AsSpan(position, _end - position), out header); position += (int)header.MessageSize)
        {
            if (!IsLengthValid(header.MessageSize) || _end - position < (int)header.MessageSize)
            {
                return false;
            }

            if (header.Type == VfioUserFlags.VFIO_USER_REPLY)
            {
                payload = _buffer.AsSpan(position + VfioUserHeader.Length, (int)header.MessageSize - VfioUserHeader.Length);
                return true;
            }
        }

        header = default;
        return false;
    }

    /// <summary>Takes out the message that <see cref="TryPeekReply"/> found, with descriptors that came with it.</summary>
    internal void Remove(int position)
    {
        int length = (int)MemoryMarshal.Read<VfioUserHeader>(_buffer.AsSpan(position)).MessageSize;
        _buffer.AsSpan(position + length, _end - position - length).CopyTo(_buffer.AsSpan(position));
        _end -= length;
        for (int i = 0; i < _owners.Length; i++)
        {
            if (_owners[i] == position && i != _currentSet)
            {
                _sets[i].Clear();
                _owners[i] = NoOwner;
            }
            else if (_owners[i] > position)
            {
                _owners[i] -= length;
            }
        }
    }

    /// <summary>Closes every descriptor that is still held.</summary>
    internal void Clear()
    {
        foreach (ReceivedDescriptors set in _sets)
        {
            set.Clear();
        }

        _owners.AsSpan().Fill(NoOwner);
        _currentSet = NoOwner;
    }

    private bool ReceiveBehind()
    {
        int received = _socket.Receive(_buffer.AsSpan(_end), _numbers, out int count, out Errno error);
        return Take(received, count, error) && received > 0;
    }

    // What came, and whose its descriptors are; false where they can be nobody's.
    private bool Take(int received, int count, Errno error)
    {
        _end += received;
        if (count > 0 || error == Errno.EMSGSIZE)
        {
            ReceivedDescriptors? descriptors = SetOf(LastBegun());
            if (descriptors is null)
            {
                ReceivedDescriptors.Close(_numbers.AsSpan(0, count));
                IsBroken = true;
                return false;
            }

            descriptors.Add(_numbers.AsSpan(0, count));
            if (error == Errno.EMSGSIZE)
            {
                descriptors.Fault = Errno.EMFILE;
            }
        }

        return true;
    }

    private static bool IsLengthValid(uint length) => length is >= VfioUserHeader.Length and <= VfioUserLimits.MaxMessageSize;

    // Keeps room for the rest of the message that has begun, and never reads into less than a quarter of the buffer
    // where moving a few bytes gives all of it.
    private void MakeRoom()
    {
        int pending = _end - _start;
        if (pending == 0)
        {
            _start = _end = 0;
            return;
        }

        if (_journal is not null)
        {
            MakeJournaledRoom(_journal);
            return;
        }

        int needed = VfioUserHeader.Length;
        if (MemoryMarshal.TryRead(_buffer.AsSpan(_start, pending), out VfioUserHeader header))
        {
            needed = (int)header.MessageSize;
        }

        if (_start > 0 && (_start + needed > _buffer.Length || _buffer.Length - _end < _buffer.Length / 4))
        {
            MoveToFront();
        }
    }

    private void MoveToFront()
    {
        int pending = _end - _start;
        _buffer.AsSpan(_start, pending).CopyTo(_buffer.Span);
        for (int i = 0; i < _owners.Length; i++)
        {
            _owners[i] = _owners[i] == NoOwner ? NoOwner : _owners[i] - _start;
        }

        _end = pending;
        _start = 0;
    }

    // Where the last message of which a byte is here begins.
    private int LastBegun()
    {
        int start = _start;
        while (MemoryMarshal.TryRead(_buffer.AsSpan(start, _end - start), out VfioUserHeader header)
            && IsLengthValid(header.MessageSize)
            && start + (int)header.MessageSize < _end)
        {
            start += (int)header.MessageSize;
        }

        return start;
    }

    // Null: every set has an owner already.
    private ReceivedDescriptors? SetOf(int owner)
    {
        int set = Array.IndexOf(_owners, owner);
        if (set < 0)
        {
            set = Array.IndexOf(_owners, NoOwner);
            if (set < 0)
            {
                return null;
            }

            _owners[set] = owner;
        }

        return _sets[set];
    }
}
