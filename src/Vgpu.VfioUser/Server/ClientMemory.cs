using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Vfio.Iommu;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Server;

/// <summary>
/// Asks the client for its memory: VFIO_USER_DMA_READ and VFIO_USER_DMA_WRITE (vfio-user specification), over the twin
/// socket where there is one, otherwise between the replies of the main one. One access at a time; allocates nothing.
/// </summary>
/// <remarks>
/// Who waits: a device's thread for the connection's thread to pass its reply on, or, on a twin socket, for the reply
/// itself. The connection's own thread, in the middle of a request, takes the reply out of what the client sends next;
/// QEMU sends none before it has its own reply, so a device does well to use a thread of its own. With a journal it must:
/// what a client sends is handled in its order, and such an access answers EDEADLK.
/// </remarks>
internal sealed unsafe partial class ClientMemory : IClientMemory, IDisposable
{
    private readonly UnixSocket _main;
    private readonly RequestStream _requests;
    private readonly Lock _sending;
    private readonly int _timeout;
    private readonly Lock _turn = new();
    private readonly object _waiter = new();
    private UnixSocket? _twin;
    private Thread? _connection;
    private int _most = VfioUserLimits.MaxDataXferSize;
    private ushort _id;

    // Of the one message under way; guarded by _waiter.
    private bool _waiting;
    private bool _ended;
    private bool _disposed;
    private int _abandoned;
    private VfioUserCommand _command;
    private DmaAccess _access;
    private byte* _destination;
    private Errno _result;

    /// <summary>Requests on the main socket are sent with <paramref name="sending"/> held, as its replies are.</summary>
    internal ClientMemory(UnixSocket main, RequestStream requests, Lock sending, TimeSpan timeout, ConnectionJournal? journal = null)
    {
        _journal = journal;
        _main = main;
        _requests = requests;
        _sending = sending;
        _timeout = (int)timeout.TotalMilliseconds;
    }

    /// <summary>What VFIO_USER_VERSION has settled, and the connection's thread. Before any access.</summary>
    internal void Open(ulong maxDataXferSize, UnixSocket? twin, Thread connection)
    {
        _connection = connection;
        _most = (int)Math.Min(maxDataXferSize, VfioUserLimits.MaxDataXferSize);
        lock (_waiter)
        {
            _twin = twin;
            if (_ended)
            {
                twin?.Shutdown();
            }
        }
    }

    /// <summary>
    /// The conversation is over: whoever waits is answered ECONNRESET, also in the middle of a message that the client does
    /// not read. Any thread.
    /// </summary>
    internal void End()
    {
        lock (_waiter)
        {
            _ended = true;
            Finish(Errno.ECONNRESET);
            if (!_disposed)
            {
                _twin?.Shutdown();
            }
        }
    }

    public Errno Read(ulong iova, Span<byte> data)
    {
        // Sound: pinned until the transfer has ended, which is when nobody has the pointer any more.
        fixed (byte* bytes = data)
        {
            return Transfer(VfioUserCommand.VFIO_USER_DMA_READ, iova, bytes, data.Length);
        }
    }

    public Errno Write(ulong iova, ReadOnlySpan<byte> data)
    {
        // Sound: as above.
        fixed (byte* bytes = data)
        {
            return Transfer(VfioUserCommand.VFIO_USER_DMA_WRITE, iova, bytes, data.Length);
        }
    }

    /// <summary>The client answered an access with something else: the conversation can't go on. Connection thread.</summary>
    internal bool IsBroken { get; private set; }

    /// <summary>
    /// Takes a reply that came on the main socket; false, and broken, where it answers nothing that was asked. One that
    /// comes after nobody waits for it any more is dropped. Connection thread.
    /// </summary>
    internal bool TryDeliver(in VfioUserHeader header, ReadOnlySpan<byte> payload)
    {
        lock (_waiter)
        {
            if (_waiting && header.MessageId == _id && header.Command == _command)
            {
                Finish(Check(header, payload));
                IsBroken = _result == Errno.EPROTO;
            }
            else
            {
                IsBroken = --_abandoned < 0;
            }

            return !IsBroken;
        }
    }

    public void Dispose()
    {
        lock (_waiter)
        {
            _disposed = true;
            _twin?.Dispose();
        }
    }

    // An access is cut to what the client takes at once.
    private Errno Transfer(VfioUserCommand command, ulong iova, byte* bytes, int length)
    {
        if (_most == 0)
        {
            return Errno.EFAULT;
        }

        bool nested = _twin is null && Thread.CurrentThread == _connection;
        if (!nested)
        {
            _turn.Enter();
        }
        else if (_journal is not null || !_turn.TryEnter())
        {
            // Whoever has the turn waits for this very thread, or this thread for itself.
            return Errno.EDEADLK;
        }

        try
        {
            Errno errno = Errno.None;
            for (int done = 0; done < length && errno == Errno.None;)
            {
                int part = Math.Min(length - done, _most);
                errno = Exchange(command, new DmaAccess { Address = iova + (uint)done, Count = (uint)part }, bytes + done, nested);
                done += part;
            }

            return errno;
        }
        finally
        {
            _turn.Exit();
        }
    }

    private Errno Exchange(VfioUserCommand command, DmaAccess access, byte* bytes, bool nested)
    {
        bool write = command == VfioUserCommand.VFIO_USER_DMA_WRITE;
        lock (_waiter)
        {
            if (!WaitForTurn())
            {
                return _ended ? Errno.ECONNRESET : Errno.ETIMEDOUT;
            }

            _id++;
            _command = command;
            _access = access;
            _destination = write ? null : bytes;
            _waiting = true;
        }

        ReadOnlySpan<byte> body = write ? new ReadOnlySpan<byte>(bytes, (int)access.Count) : default;
        Span<byte> head = stackalloc byte[VfioUserHeader.Length + DmaAccess.Length];
        MemoryMarshal.Write(head, VfioUserHeader.Request(_id, command, DmaAccess.Length + body.Length));
        MemoryMarshal.Write(head[VfioUserHeader.Length..], in access);
        Errno errno = Send(head, body);
        errno = errno != Errno.None ? errno
            : _twin is { } twin ? ReceiveFrom(twin)
            : nested ? Pump()
            : Errno.None;
        errno = Wait(errno);
        if (errno is Errno.EPROTO or Errno.ETIMEDOUT && _twin is not null)
        {
            // Nobody knows where the next reply begins.
            End();
        }

        return errno;
    }

    private Errno Send(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        if (_twin is { } twin)
        {
            return twin.Send(head, body);
        }

        lock (_sending)
        {
            return _journal is null ? _main.Send(head, body) : SendJournaled(_journal, head, body);
        }
    }

    // Waits until the message is answered, or ends it with the error that there is already.
    private Errno Wait(Errno errno)
    {
        long deadline = Environment.TickCount64 + _timeout;
        lock (_waiter)
        {
            while (_waiting && errno == Errno.None)
            {
                int left = (int)Math.Max(0, deadline - Environment.TickCount64);
                if (!Monitor.Wait(_waiter, left) && left == 0)
                {
                    errno = Errno.ETIMEDOUT;
                }
            }

            if (_waiting)
            {
                _abandoned += errno == Errno.ETIMEDOUT ? 1 : 0;
                Finish(errno);
            }

            return _result;
        }
    }

    // The connection's own thread: what the client sends meanwhile stays for later, in its order.
    private Errno Pump()
    {
        long deadline = Environment.TickCount64 + _timeout;
        while (true)
        {
            while (_requests.TryPeekReply(out int position, out VfioUserHeader header, out ReadOnlySpan<byte> payload))
            {
                if (!TryDeliver(header, payload))
                {
                    return Errno.EPROTO;
                }

                _requests.Remove(position);
                lock (_waiter)
                {
                    if (!_waiting)
                    {
                        return Errno.None;
                    }
                }
            }

            int left = (int)Math.Max(0, deadline - Environment.TickCount64);
            if (!_main.WaitReadable(left))
            {
                return Errno.ETIMEDOUT;
            }

            if (!_requests.ReceiveMore(out Errno errno))
            {
                return errno;
            }
        }
    }

    private Errno ReceiveFrom(UnixSocket twin)
    {
        long deadline = Environment.TickCount64 + _timeout;
        Span<byte> head = stackalloc byte[VfioUserHeader.Length + DmaAccess.Length];
        Errno errno = ReceiveExactly(twin, head[..VfioUserHeader.Length], deadline);
        if (errno != Errno.None)
        {
            return errno;
        }

        VfioUserHeader header = MemoryMarshal.Read<VfioUserHeader>(head);
        bool failed = (header.Flags & VfioUserFlags.VFIO_USER_ERROR) != 0;
        bool read = _command == VfioUserCommand.VFIO_USER_DMA_READ;
        int expected = VfioUserHeader.Length + (failed ? 0 : DmaAccess.Length + (read ? (int)_access.Count : 0));
        bool isShort = !failed && !read && header.MessageSize == expected - sizeof(uint);
        if (header.MessageId != _id || header.Command != _command || header.Type != VfioUserFlags.VFIO_USER_REPLY
            || (header.MessageSize != expected && !isShort))
        {
            return Errno.EPROTO;
        }

        if (!failed)
        {
            Span<byte> echo = head.Slice(VfioUserHeader.Length, isShort ? DmaAccess.Length - sizeof(uint) : DmaAccess.Length);
            errno = ReceiveExactly(twin, echo, deadline);
            if (errno == Errno.None && read && MemoryMarshal.Read<DmaAccess>(head[VfioUserHeader.Length..]).Equals(_access))
            {
                // Sound: the transfer's own pinned bytes, as many as were asked for.
                errno = ReceiveExactly(twin, new Span<byte>(_destination, (int)_access.Count), deadline);
            }
        }

        lock (_waiter)
        {
            Finish(errno != Errno.None ? errno : Check(header, head[VfioUserHeader.Length..], bytesCame: true));
        }

        return Errno.None;
    }

    private static Errno ReceiveExactly(UnixSocket socket, Span<byte> bytes, long deadline)
    {
        while (!bytes.IsEmpty)
        {
            if (!socket.WaitReadable((int)Math.Max(0, deadline - Environment.TickCount64)))
            {
                return Errno.ETIMEDOUT;
            }

            int received = socket.Receive(bytes, [], out _, out Errno errno);
            if (received == 0)
            {
                return errno == Errno.None ? Errno.ECONNRESET : errno;
            }

            bytes = bytes[received..];
        }

        return Errno.None;
    }

    // What a reply means; the bytes of a read are copied out of it. The count that a write echoes has 4 bytes in the
    // specification and 8 in QEMU.
    private Errno Check(in VfioUserHeader header, ReadOnlySpan<byte> payload, bool bytesCame = false)
    {
        if ((header.Flags & VfioUserFlags.VFIO_USER_ERROR) != 0)
        {
            return header.Error is 0 or > 4095 ? Errno.EIO : (Errno)header.Error;
        }

        if (_command == VfioUserCommand.VFIO_USER_DMA_WRITE)
        {
            return payload.Length >= DmaAccess.Length - sizeof(uint) && MemoryMarshal.Read<ulong>(payload) == _access.Address
                ? Errno.None
                : Errno.EPROTO;
        }

        if (!MemoryMarshal.TryRead(payload, out DmaAccess echo) || echo.Address != _access.Address || echo.Count != _access.Count)
        {
            return Errno.EPROTO;
        }

        if (bytesCame)
        {
            return Errno.None;
        }

        ReadOnlySpan<byte> data = payload[DmaAccess.Length..];
        if ((ulong)data.Length != _access.Count)
        {
            return Errno.EPROTO;
        }

        // Sound: the transfer waits, with its bytes pinned, until it is finished under this lock.
        data.CopyTo(new Span<byte>(_destination, data.Length));
        return Errno.None;
    }

    // _waiter held.
    private void Finish(Errno errno)
    {
        if (_waiting)
        {
            _waiting = false;
            _destination = null;
            _result = errno;
            Monitor.PulseAll(_waiter);
        }
    }
}
