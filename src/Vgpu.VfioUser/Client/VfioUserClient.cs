using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Vfio.Iommu;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser;

/// <summary>
/// The client's side of vfio-user: asks one thing at a time and waits for its reply. One thread at a time. Methods that
/// wait throw <see cref="VfioUserException"/> with the server's errno, or with what broke the conversation.
/// </summary>
public sealed partial class VfioUserClient : IDisposable
{
    private readonly byte[] _reply = GC.AllocateUninitializedArray<byte>(VfioUserLimits.MaxMessageSize);
    private readonly int[] _numbers = new int[UnixSocket.SCM_MAX_FD];
    private readonly List<FileDescriptor> _received = [];
    private ushort _messageId;

    private readonly DmaResponder _main;
    private DmaResponder? _twin;

    /// <summary>Takes ownership of a connected socket.</summary>
    public VfioUserClient(UnixSocket socket)
    {
        Socket = socket;
        _main = new DmaResponder(socket, () => Memory);
    }

    /// <summary>The connection itself: for clients that do what no client should.</summary>
    public UnixSocket Socket { get; }

    /// <summary>How long to wait for a reply, in milliseconds; -1: for ever. QEMU waits 5,000.</summary>
    public int TimeoutMilliseconds { get; set; } = 5_000;

    /// <summary>
    /// What the server is given when it asks for memory that was mapped without a file (VFIO_USER_DMA_READ and _WRITE):
    /// while a reply is waited for, or at any time, on a thread of its own, where a twin socket was agreed on. Null:
    /// the server is refused with ENODEV.
    /// </summary>
    public IClientMemory? Memory { get; set; }

    /// <summary>Connects to a server. Throws <see cref="LinuxException"/>.</summary>
    public static VfioUserClient Connect(string socketPath) => new(UnixSocket.Connect(socketPath));

    /// <summary>
    /// Sends a request, and waits for nothing. The descriptors stay the caller's. <paramref name="id"/> is echoed in the
    /// reply.
    /// </summary>
    public void Send(ushort id, VfioUserCommand command, scoped ReadOnlySpan<byte> payload, VfioUserFlags flags = 0, params ReadOnlySpan<FileDescriptor> descriptors)
    {
        Span<byte> head = stackalloc byte[VfioUserHeader.Length];
        MemoryMarshal.Write(head, VfioUserHeader.Request(id, command, payload.Length, flags));
        Span<int> numbers = stackalloc int[descriptors.Length];
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = descriptors[i].Number;
        }

        Errno errno = Socket.Send(head, payload, numbers);
        if (errno != Errno.None)
        {
            throw new VfioUserException(command, errno, "could not be sent");
        }
    }

    /// <summary>
    /// Waits for one whole message. The payload is valid until the next call; descriptors that came with it are taken by
    /// <see cref="TakeDescriptor"/> or closed by the next call. Throws ECONNRESET at the end of the stream, ETIMEDOUT.
    /// </summary>
    public ReadOnlySpan<byte> Receive(out VfioUserHeader header)
    {
        CloseReceived();
        ReceiveExactly(_reply.AsSpan(0, VfioUserHeader.Length));
        header = MemoryMarshal.Read<VfioUserHeader>(_reply);
        if (header.MessageSize is < VfioUserHeader.Length or > VfioUserLimits.MaxMessageSize)
        {
            throw new VfioUserException(header.Command, Errno.EPROTO, "reply of an impossible size");
        }

        Span<byte> payload = _reply.AsSpan(VfioUserHeader.Length, (int)header.MessageSize - VfioUserHeader.Length);
        ReceiveExactly(payload);
        return payload;
    }

    /// <summary>The first descriptor that came with the last message, now the caller's; null where none did.</summary>
    public FileDescriptor? TakeDescriptor()
    {
        if (_received.Count == 0)
        {
            return null;
        }

        FileDescriptor descriptor = _received[0];
        _received.RemoveAt(0);
        return descriptor;
    }

    /// <summary>Sends a request and waits for its reply's payload, which is valid until the next call.</summary>
    public ReadOnlySpan<byte> Request(VfioUserCommand command, scoped ReadOnlySpan<byte> payload, params ReadOnlySpan<FileDescriptor> descriptors)
    {
        ushort id = ++_messageId;
        Send(id, command, payload, 0, descriptors);
        ReadOnlySpan<byte> reply = Receive(out VfioUserHeader header);
        while (header.Type == VfioUserFlags.VFIO_USER_REQUEST)
        {
            _main.Answer(header, reply);
            reply = Receive(out header);
        }

        if (header.MessageId != id || header.Command != command || header.Type != VfioUserFlags.VFIO_USER_REPLY)
        {
            throw new VfioUserException(command, Errno.EPROTO, "the reply is to something else");
        }

        return (header.Flags & VfioUserFlags.VFIO_USER_ERROR) == 0
            ? reply
            : throw new VfioUserException(command, header.Error == 0 ? Errno.EIO : (Errno)header.Error, "refused");
    }

    /// <summary>Hangs up and closes what was received and not taken.</summary>
    public void Dispose()
    {
        _twin?.Dispose();
        Socket.Dispose();
        CloseReceived();
    }

    private void ReceiveExactly(Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (TimeoutMilliseconds >= 0 && !Socket.WaitReadable(TimeoutMilliseconds))
            {
                throw new VfioUserException(0, Errno.ETIMEDOUT, "no reply");
            }

            int received = Socket.Receive(bytes, _numbers, out int count, out Errno errno);
            foreach (int number in _numbers.AsSpan(0, count))
            {
                _received.Add(new FileDescriptor(number));
            }

            if (received == 0)
            {
                throw new VfioUserException(0, errno == Errno.None ? Errno.ECONNRESET : errno, "the server hung up");
            }

            bytes = bytes[received..];
        }
    }

    private void CloseReceived()
    {
        foreach (FileDescriptor descriptor in _received)
        {
            descriptor.Dispose();
        }

        _received.Clear();
    }
}
