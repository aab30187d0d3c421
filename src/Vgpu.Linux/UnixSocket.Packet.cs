// Sockets that keep messages apart (SOCK_SEQPACKET): a message arrives whole, with its own descriptors, or not at all.
using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>What an AF_UNIX socket carries (socket(2)).</summary>
public enum UnixSocketKind
{
    /// <summary>Bytes.</summary>
    SOCK_STREAM = 1,

    /// <summary>Messages.</summary>
    SOCK_SEQPACKET = 5,
}

public sealed unsafe partial class UnixSocket
{
    /// <summary>
    /// Sends one message, and does not wait: EAGAIN while the peer has not read enough of those before it, EPIPE or
    /// ECONNRESET once it is gone, EMSGSIZE for more than the kernel takes at once (some 200 KiB).
    /// </summary>
    public Errno TrySend(ReadOnlySpan<byte> message, ReadOnlySpan<int> descriptors = default) =>
        SendMessage(message, default, descriptors, Libc.MSG_DONTWAIT);

    /// <summary>Waits until the peer takes another message; false when <paramref name="timeoutMilliseconds"/> passed.</summary>
    public bool WaitWritable(int timeoutMilliseconds) => PollSet.WaitFor(_descriptor, PollEvents.POLLOUT, timeoutMilliseconds);
}
