using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.VfioUser.Journal;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Server;

/// <summary>
/// Gathers replies and sends them with as few sendmsg calls as can be. A reply with a descriptor travels alone, so that
/// the client finds the descriptor with that reply's first byte. Connection thread only; allocates nothing.
/// </summary>
internal sealed partial class ReplyStream
{
    private readonly UnixSocket _socket;
    private readonly WireBuffer _buffer;
    private readonly int[] _numbers = new int[VfioUserLimits.MaxMsgFds];
    private int _length;

    /// <summary>With a journal the buffer is the journal's; see ReplyStream.Journal.cs.</summary>
    internal ReplyStream(UnixSocket socket, WireBuffer buffer, ConnectionJournal? journal = null)
    {
        _socket = socket;
        _buffer = buffer;
        _journal = journal;
    }

    /// <summary>Held while bytes are sent: between them another thread may send messages of its own.</summary>
    internal Lock Sending { get; } = new();

    /// <summary>The client no longer takes replies.</summary>
    internal bool IsBroken { get; private set; }

    /// <summary>
    /// Zeroed room for the payload of the next reply; at most what a message may hold. It is sent only once
    /// <see cref="Commit"/> was called.
    /// </summary>
    internal Span<byte> Begin(int payloadLength)
    {
        if (_length + VfioUserHeader.Length + payloadLength > _buffer.Length || _file is not null)
        {
            Flush();
        }

        Span<byte> payload = _buffer.AsSpan(_length + VfioUserHeader.Length, payloadLength);
        payload.Clear();
        return payload;
    }

    /// <summary>Adds the reply whose payload was written into the room that <see cref="Begin"/> gave, if one is wanted.</summary>
    internal void Commit(in VfioUserHeader request, int payloadLength = 0)
    {
        if (!request.NoReply)
        {
            Put(request.Reply(payloadLength), payloadLength);
        }
    }

    /// <summary>As <see cref="Commit"/>, with the file of a region, which stays the region's.</summary>
    internal void CommitWithFile(in VfioUserHeader request, int payloadLength, int region, FileDescriptor file)
    {
        if (_journal is null)
        {
            CommitWithDescriptors(request, payloadLength, file);
            return;
        }

        Commit(request, payloadLength);
        if (!request.NoReply)
        {
            (_file, _fileRegion) = (file, region);
        }
    }

    /// <summary>As <see cref="Commit"/>, with descriptors, at most what a message carries, which stay the caller's.</summary>
    internal void CommitWithDescriptors(in VfioUserHeader request, int payloadLength, params ReadOnlySpan<FileDescriptor> descriptors)
    {
        if (request.NoReply || descriptors.IsEmpty)
        {
            Commit(request, payloadLength);
            return;
        }

        int start = _length;
        Put(request.Reply(payloadLength), payloadLength);
        ReadOnlySpan<byte> reply = _buffer.AsSpan(start, _length - start);
        if (start > 0)
        {
            Send(_buffer.AsSpan(0, start), default);
        }

        for (int i = 0; i < descriptors.Length; i++)
        {
            _numbers[i] = descriptors[i].Number;
        }

        Send(reply, _numbers.AsSpan(0, descriptors.Length));
        _length = 0;
    }

    /// <summary>
    /// As <see cref="Commit"/>, with <paramref name="memory"/> after the payload: sent from where it lies, before this
    /// returns, after all that was gathered.
    /// </summary>
    internal void CommitWithMemory(in VfioUserHeader request, int payloadLength, ReadOnlySpan<byte> memory)
    {
        if (request.NoReply)
        {
            return;
        }

        Put(request.Reply(payloadLength + memory.Length), payloadLength);
        Send(_buffer.AsSpan(0, _length), default, memory);
        _length = 0;
    }

    /// <summary>Adds an error reply, if one is wanted.</summary>
    internal void Fail(in VfioUserHeader request, Errno errno)
    {
        if (!request.NoReply)
        {
            _ = Begin(0);
            Put(request.Failure(errno), 0);
        }
    }

    /// <summary>Sends what was gathered; blocks while the client does not read.</summary>
    internal void Flush()
    {
        if (_journal is not null)
        {
            SendJournaled(_journal);
        }
        else if (_length > 0)
        {
            Send(_buffer.AsSpan(0, _length), default);
            _length = 0;
        }
    }

    private void Put(in VfioUserHeader header, int payloadLength)
    {
        MemoryMarshal.Write(_buffer.AsSpan(_length), in header);
        _length += VfioUserHeader.Length + payloadLength;
    }

    private void Send(ReadOnlySpan<byte> bytes, ReadOnlySpan<int> descriptors, ReadOnlySpan<byte> more = default)
    {
        lock (Sending)
        {
            IsBroken = IsBroken || _socket.Send(bytes, more, descriptors) != Errno.None;
        }
    }
}
