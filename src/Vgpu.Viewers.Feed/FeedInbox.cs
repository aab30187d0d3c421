using System.Runtime.InteropServices;
using Vgpu.Linux;

namespace Vgpu.Viewers.Feed;

// Gathers the server's messages for a client that does other things meanwhile. One thread.
internal sealed class FeedInbox(UnixSocket socket) : IDisposable
{
    private readonly byte[] _buffer = new byte[FeedHeader.Size + FeedProtocol.MaxReply];
    private int _received;
    private FileDescriptor? _file;

    internal FeedHeader Header => MemoryMarshal.Read<FeedHeader>(_buffer);

    /// <summary>Valid until the next <see cref="Receive"/>.</summary>
    internal ReadOnlySpan<byte> Payload => _buffer.AsSpan(FeedHeader.Size, (int)Header.Length);

    /// <summary>
    /// Takes what has come, once the socket is readable; true where a message is whole. Throws <see cref="LinuxException"/>
    /// and <see cref="ScreenFeedException"/>.
    /// </summary>
    internal bool Receive()
    {
        int wanted = FeedHeader.Size + (_received < FeedHeader.Size ? 0 : (int)Header.Length);
        if (_received == wanted)
        {
            // The message before this one has been seen to.
            _file?.Dispose();
            _file = null;
            (_received, wanted) = (0, FeedHeader.Size);
        }

        Span<int> descriptors = stackalloc int[1];
        int count = socket.Receive(_buffer.AsSpan(_received, wanted - _received), descriptors, out int descriptorCount, out Errno error);
        if (descriptorCount != 0)
        {
            var file = new FileDescriptor(descriptors[0]);
            if (_file is not null)
            {
                file.Dispose();
                throw new ScreenFeedException("The screen feed sent two files with one message.");
            }

            _file = file;
        }

        if (error != Errno.None)
        {
            throw new LinuxException("recvmsg", error);
        }

        if (count == 0)
        {
            throw new ScreenFeedException("The screen feed ended the conversation.", Errno.ENOTCONN);
        }

        _received += count;
        if (_received < FeedHeader.Size)
        {
            return false;
        }

        return Header.Length <= FeedProtocol.MaxReply
            ? _received == FeedHeader.Size + (int)Header.Length
            : throw new ScreenFeedException("The screen feed sent too long a message.");
    }

    /// <summary>The message's structure, of which a later version may send more. Throws <see cref="ScreenFeedException"/>.</summary>
    internal T Read<T>()
        where T : unmanaged =>
        MemoryMarshal.TryRead(Payload, out T value) ? value : throw new ScreenFeedException("The screen feed sent too short a message.");

    /// <summary>The file that came with the message, which is the caller's from then on; null: none.</summary>
    internal FileDescriptor? TakeFile()
    {
        FileDescriptor? file = _file;
        _file = null;
        return file;
    }

    public void Dispose() => _file?.Dispose();
}
