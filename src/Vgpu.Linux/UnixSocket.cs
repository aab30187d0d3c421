using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>
/// A blocking AF_UNIX socket, of a stream unless said otherwise, that carries descriptors (unix(7)). One thread receives,
/// any one thread at a time sends; <see cref="Shutdown"/> from a third ends both. Receive and send allocate nothing.
/// </summary>
public sealed unsafe partial class UnixSocket : IDisposable
{
    /// <summary>SCM_MAX_FD: no message carries more descriptors.</summary>
    public const int SCM_MAX_FD = 253;

    private readonly FileDescriptor _descriptor;
    private (string Path, ulong Device, ulong Inode) _bound = (string.Empty, 0, 0);

    /// <summary>Takes ownership of a connected or listening socket.</summary>
    public UnixSocket(FileDescriptor descriptor) => _descriptor = descriptor;

    /// <summary>The descriptor, for polling.</summary>
    public FileDescriptor Descriptor => _descriptor;

    /// <summary>
    /// Listens at <paramref name="path"/> with mode 0600. A stale socket that nobody listens on is replaced; any
    /// other file there is left alone. Throws <see cref="LinuxException"/> (EADDRINUSE: somebody listens).
    /// </summary>
    public static UnixSocket Listen(string path, int backlog = 8, UnixSocketKind kind = UnixSocketKind.SOCK_STREAM)
    {
        if (File.Exists(path) && !IsSocket(path))
        {
            throw new LinuxException("bind", Errno.EEXIST, path);
        }

        var socket = New(kind);
        try
        {
            if (TryBind(socket, path) is Errno error and not Errno.None)
            {
                if (error != Errno.EADDRINUSE || SomebodyListens(path, kind))
                {
                    throw new LinuxException("bind", error, path);
                }

                _ = Libc.Unlink(path);
                error = TryBind(socket, path);
                if (error != Errno.None)
                {
                    throw new LinuxException("bind", error, path);
                }
            }

            if (Libc.Chmod(path, 0b110_000_000) < 0)
            {
                throw LinuxException.Last("chmod", path);
            }

            if (TryIdentify(path, out ulong device, out ulong inode))
            {
                socket._bound = (path, device, inode);
            }

            return Libc.Listen(socket._descriptor.Number, backlog) < 0 ? throw LinuxException.Last("listen", path) : socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Connects to a listener; blocks while its backlog is full. Throws <see cref="LinuxException"/>.</summary>
    public static UnixSocket Connect(string path, UnixSocketKind kind = UnixSocketKind.SOCK_STREAM) => Connect(New(kind), path);

    /// <summary>
    /// Connects a stream socket of which connecting and each send wait no longer than <paramref name="timeout"/>, at least
    /// 1 ms (SO_SNDTIMEO, socket(7)), and fail with EAGAIN then. Throws <see cref="LinuxException"/>.
    /// </summary>
    public static UnixSocket Connect(string path, TimeSpan timeout)
    {
        var socket = New(UnixSocketKind.SOCK_STREAM);
        try
        {
            socket.SetTimeout(Libc.SO_SNDTIMEO, Math.Max(1, (int)timeout.TotalMilliseconds));
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return Connect(socket, path);
    }

    private static UnixSocket Connect(UnixSocket socket, string path)
    {
        Libc.SockAddrUn address = Address(path);
        if (Libc.Connect(socket._descriptor.Number, &address, (uint)sizeof(Libc.SockAddrUn)) == 0)
        {
            return socket;
        }

        var error = LinuxException.Last("connect", path);
        socket.Dispose();
        throw error;
    }

    /// <summary>Two sockets joined to each other. Throws <see cref="LinuxException"/>.</summary>
    public static (UnixSocket First, UnixSocket Second) Pair(UnixSocketKind kind = UnixSocketKind.SOCK_STREAM)
    {
        int* pair = stackalloc int[2];
        return Libc.SocketPair(Libc.AF_UNIX, (int)kind | Libc.SOCK_CLOEXEC, 0, pair) < 0
            ? throw LinuxException.Last("socketpair")
            : (new UnixSocket(new FileDescriptor(pair[0])), new UnixSocket(new FileDescriptor(pair[1])));
    }

    /// <summary>Waits for the next client; null once <see cref="Shutdown"/> was called. Throws <see cref="LinuxException"/>.</summary>
    public UnixSocket? Accept()
    {
        while (true)
        {
            int fd = Libc.Accept4(_descriptor.Number, null, null, Libc.SOCK_CLOEXEC);
            if (fd >= 0)
            {
                return new UnixSocket(new FileDescriptor(fd));
            }

            var errno = (Errno)Marshal.GetLastPInvokeError();
            switch (errno)
            {
                case Errno.EINTR:
                case Errno.ECONNABORTED: // that client left before we came
                    continue;
                case Errno.EINVAL:
                    return null;
                default:
                    throw new LinuxException("accept", errno);
            }
        }
    }

    /// <summary>Who connected. Throws <see cref="LinuxException"/>.</summary>
    public PeerCredentials Peer() => SocketPeer.Of(_descriptor);

    /// <summary>
    /// Receives at least one byte, and the descriptors that came with it, close-on-exec, as bare numbers that the
    /// caller owns from then on. Returns the bytes received; 0 at the end of the stream and after any failure, with
    /// <paramref name="error"/> set in the second case. EMSGSIZE: more descriptors came than
    /// <paramref name="descriptors"/> holds; those that fit are given.
    /// </summary>
    public int Receive(Span<byte> buffer, Span<int> descriptors, out int descriptorCount, out Errno error) =>
        ReceiveMessage(buffer, descriptors, 0, out descriptorCount, out error);

    [SkipLocalsInit] // Sound: the kernel says how much of the control buffer it wrote, and no more is read.
    private int ReceiveMessage(Span<byte> buffer, Span<int> descriptors, int flags, out int descriptorCount, out Errno error)
    {
        int capacity = Math.Min(descriptors.Length, SCM_MAX_FD);
        int controlLength = capacity == 0 ? 0 : ControlSpace(capacity);
        byte* control = stackalloc byte[controlLength + 1];
        descriptorCount = 0;
        error = Errno.None;
        // Sound: the spans are pinned for the call, and recvmsg writes within the lengths given.
        fixed (byte* data = buffer)
        {
            var iov = new Libc.IoVec { Base = data, Length = (nuint)buffer.Length };
            Libc.MsgHdr message;
            nint received;
            do
            {
                message = new Libc.MsgHdr { Iov = &iov, IovLength = 1, Control = control, ControlLength = (nuint)controlLength };
                received = Libc.RecvMsg(_descriptor.Number, &message, Libc.MSG_CMSG_CLOEXEC | flags);
            }
            while (received == -(nint)Errno.EINTR);

            if (received < 0)
            {
                error = (Errno)(-received);
                return 0;
            }

            // The padding of the control buffer may have held one more than was asked for.
            bool all = CollectDescriptors(control, message.ControlLength, descriptors[..capacity], ref descriptorCount);
            if (!all || (message.Flags & Libc.MSG_CTRUNC) != 0)
            {
                error = Errno.EMSGSIZE;
            }

            return (int)received;
        }
    }

    /// <summary>
    /// Sends both parts as one stream, with the descriptors on the first byte, and returns once all is with the
    /// kernel: blocks while the peer does not read. EPIPE or ECONNRESET once the peer is gone.
    /// </summary>
    public Errno Send(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body = default, ReadOnlySpan<int> descriptors = default) =>
        body.IsEmpty && descriptors.IsEmpty ? SendBytes(head) : SendMessage(head, body, descriptors, 0);

    private Errno SendMessage(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body, ReadOnlySpan<int> descriptors, int flags)
    {
        int controlLength = descriptors.IsEmpty ? 0 : ControlSpace(descriptors.Length);
        byte* control = stackalloc byte[controlLength + 1];
        Attach(descriptors, control, controlLength);

        // Sound: both spans are pinned for the call, and sendmsg reads within the lengths given.
        fixed (byte* first = head, second = body)
        {
            Libc.IoVec* iov = stackalloc Libc.IoVec[2];
            iov[0] = new Libc.IoVec { Base = first, Length = (nuint)head.Length };
            iov[1] = new Libc.IoVec { Base = second, Length = (nuint)body.Length };
            var message = new Libc.MsgHdr { Iov = iov, IovLength = body.IsEmpty ? 1u : 2u, Control = control, ControlLength = (nuint)controlLength };
            while (true)
            {
                nint sent = Libc.SendMsg(_descriptor.Number, &message, Libc.MSG_NOSIGNAL | flags);
                if (sent == -(nint)Errno.EINTR)
                {
                    continue;
                }

                if (sent < 0)
                {
                    return (Errno)(-sent);
                }

                if (Advance(iov, (nuint)sent))
                {
                    return Errno.None;
                }

                message.Control = null;
                message.ControlLength = 0;
            }
        }
    }

    /// <summary>Waits for bytes, a client or the end; false when <paramref name="timeoutMilliseconds"/> passed (-1: for ever).</summary>
    public bool WaitReadable(int timeoutMilliseconds) => PollSet.WaitFor(_descriptor, PollEvents.POLLIN, timeoutMilliseconds);

    /// <summary>Whether the peer has closed its end or will send no more, whatever is still unread. Does not wait.</summary>
    public bool PeerHasLeft()
    {
        const short left = (short)(PollEvents.POLLHUP | PollEvents.POLLRDHUP);
        var poll = new Libc.PollFd { Fd = _descriptor.Number, Events = (short)PollEvents.POLLRDHUP };
        return Libc.Poll(&poll, 1, 0) == 1 && (poll.Revents & left) != 0;
    }

    /// <summary>Removes the path that <see cref="Listen"/> made, unless another file has taken its place.</summary>
    public void Unlink()
    {
        if (_bound.Path.Length > 0
            && TryIdentify(_bound.Path, out ulong device, out ulong inode)
            && (device, inode) == (_bound.Device, _bound.Inode))
        {
            _ = Libc.Unlink(_bound.Path);
        }
    }

    /// <summary>Ends the conversation: a thread in <see cref="Receive"/>, <see cref="Send"/> or <see cref="Accept"/> returns. Any thread.</summary>
    public void Shutdown() => _ = Libc.Shutdown(_descriptor.Number, Libc.SHUT_RDWR);

    /// <summary>Closes the descriptor.</summary>
    public void Dispose() => _descriptor.Dispose();

    private static UnixSocket New(UnixSocketKind kind)
    {
        int fd = Libc.Socket(Libc.AF_UNIX, (int)kind | Libc.SOCK_CLOEXEC, 0);
        return fd < 0 ? throw LinuxException.Last("socket") : new UnixSocket(new FileDescriptor(fd));
    }

    private static bool IsSocket(string path)
    {
        Libc.Statx stat;
        const int AT_FDCWD = -100;
        return Libc.StatxAt(AT_FDCWD, path, 0, Libc.STATX_BASIC_STATS, &stat) == 0 && (stat.Mode & 0xf000) == 0xc000;
    }

    private static bool TryIdentify(string path, out ulong device, out ulong inode)
    {
        Libc.Statx stat;
        const int AT_FDCWD = -100;
        const int AT_SYMLINK_NOFOLLOW = 0x100;
        bool known = Libc.StatxAt(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, Libc.STATX_BASIC_STATS, &stat) == 0;
        device = known ? ((ulong)stat.DeviceMajor << 32) | stat.DeviceMinor : 0;
        inode = known ? stat.Inode : 0;
        return known;
    }

    private static bool SomebodyListens(string path, UnixSocketKind kind)
    {
        try
        {
            using var probe = Connect(path, kind);
            return true;
        }
        catch (LinuxException e) when (e.Errno == Errno.ECONNREFUSED)
        {
            return false;
        }
    }

    private static Errno TryBind(UnixSocket socket, string path)
    {
        Libc.SockAddrUn address = Address(path);
        return Libc.Bind(socket._descriptor.Number, &address, (uint)sizeof(Libc.SockAddrUn)) == 0
            ? Errno.None
            : (Errno)Marshal.GetLastPInvokeError();
    }

    private static Libc.SockAddrUn Address(string path)
    {
        var address = new Libc.SockAddrUn { Family = Libc.AF_UNIX };
        var bytes = new Span<byte>(address.Path, Libc.SunPathLength - 1);
        return Encoding.UTF8.TryGetBytes(path, bytes, out _)
            ? address
            : throw new LinuxException("bind", Errno.ENAMETOOLONG, path);
    }

    // The common case, by the call that takes the least from us.
    private Errno SendBytes(ReadOnlySpan<byte> bytes)
    {
        // Sound: the span is pinned for the call, and the kernel reads within the length given.
        fixed (byte* start = bytes)
        {
            nuint done = 0;
            while (true)
            {
                nint sent = Libc.Send(_descriptor.Number, start + done, (nuint)bytes.Length - done, Libc.MSG_NOSIGNAL);
                if (sent >= 0)
                {
                    done += (nuint)sent;
                    if (done == (nuint)bytes.Length)
                    {
                        return Errno.None;
                    }
                }
                else if (sent != -(nint)Errno.EINTR)
                {
                    return (Errno)(-sent);
                }
            }
        }
    }

    private static int ControlSpace(int descriptors) =>
        sizeof(Libc.CMsgHdr) + (((descriptors * sizeof(int)) + sizeof(nuint) - 1) & ~(sizeof(nuint) - 1));

    // Writes the control message that carries descriptors; none: nothing.
    private static void Attach(ReadOnlySpan<int> descriptors, byte* control, int controlLength)
    {
        if (controlLength != 0)
        {
            new Span<byte>(control, controlLength).Clear();
            var header = (Libc.CMsgHdr*)control;
            header->Length = (nuint)(sizeof(Libc.CMsgHdr) + (descriptors.Length * sizeof(int)));
            header->Level = Libc.SOL_SOCKET;
            header->Type = Libc.SCM_RIGHTS;
            descriptors.CopyTo(new Span<int>(control + sizeof(Libc.CMsgHdr), descriptors.Length));
        }
    }

    // Takes what fits and closes the rest; false where there was a rest.
    private static bool CollectDescriptors(byte* control, nuint length, Span<int> descriptors, ref int count)
    {
        bool all = true;
        nuint position = 0;
        while (position + (nuint)sizeof(Libc.CMsgHdr) <= length)
        {
            var header = (Libc.CMsgHdr*)(control + position);
            if (header->Length < (nuint)sizeof(Libc.CMsgHdr))
            {
                return all;
            }

            if (header->Level == Libc.SOL_SOCKET && header->Type == Libc.SCM_RIGHTS)
            {
                int received = (int)(header->Length - (nuint)sizeof(Libc.CMsgHdr)) / sizeof(int);
                var numbers = new ReadOnlySpan<int>(control + position + sizeof(Libc.CMsgHdr), received);
                foreach (int number in numbers)
                {
                    if (count < descriptors.Length)
                    {
                        descriptors[count++] = number;
                    }
                    else
                    {
                        _ = Libc.Close(number);
                        all = false;
                    }
                }
            }

            position += (header->Length + (nuint)sizeof(nuint) - 1) & ~((nuint)sizeof(nuint) - 1);
        }

        return all;
    }

    // Moves the vectors past what was sent; true when nothing is left.
    private static bool Advance(Libc.IoVec* iov, nuint sent)
    {
        for (int i = 0; i < 2; i++)
        {
            nuint step = Math.Min(sent, iov[i].Length);
            iov[i].Base = (byte*)iov[i].Base + step;
            iov[i].Length -= step;
            sent -= step;
        }

        return iov[0].Length == 0 && iov[1].Length == 0;
    }
}
