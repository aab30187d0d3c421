using Vgpu.Linux;

namespace Vgpu.Bus.Workers;

/// <summary>
/// One end of the conversation between the daemon and a worker: packets, none of which waits for the other side. Sends are
/// for one thread at a time, and so are receives.
/// </summary>
internal sealed class WorkerChannel(UnixSocket socket) : IDisposable
{
    /// <summary>Bytes of a message at most, its kind included.</summary>
    internal const int MaxMessage = 32 << 10;

    /// <summary>What the protocol is called; another one is not understood.</summary>
    internal const uint Version = 2;

    /// <summary>In place of an error: only a device made anew could be so.</summary>
    internal const byte NeedsAnother = 0xff;

    private readonly byte[] _received = new byte[MaxMessage];
    private readonly byte[] _sent = new byte[MaxMessage];
    private readonly int[] _numbers = new int[UnixSocket.SCM_MAX_FD];

    internal FileDescriptor Descriptor => socket.Descriptor;

    internal PeerCredentials Peer => socket.Peer();

    /// <summary>
    /// Sends, and does not wait for a peer that does not read: false then, or where it has gone. Nothing of a message
    /// that was not sent is left. Allocates nothing.
    /// </summary>
    internal bool TrySend(WorkerMessageKind kind, ReadOnlySpan<byte> payload = default, params ReadOnlySpan<FileDescriptor> descriptors) =>
        Send(kind, payload, descriptors) == Errno.None;

    /// <summary>Until when <see cref="SendPatiently"/> waits, by <see cref="Environment.TickCount64"/>.</summary>
    internal long Patience { get; private set; }

    /// <summary>All that is sent patiently from now on has a second in all.</summary>
    internal void BePatient() => Patience = Environment.TickCount64 + 1000;

    /// <summary>As <see cref="TrySend"/>, and waits for room as long as there is patience.</summary>
    internal bool SendPatiently(WorkerMessageKind kind, ReadOnlySpan<byte> payload = default, params ReadOnlySpan<FileDescriptor> descriptors)
    {
        while (true)
        {
            Errno errno = Send(kind, payload, descriptors);
            long left = Patience - Environment.TickCount64;
            if (errno != Errno.EAGAIN || left <= 0)
            {
                return errno == Errno.None;
            }

            socket.WaitWritable((int)left);
        }
    }

    /// <summary>Waits for a message; false when the time passed (-1: for ever).</summary>
    internal bool WaitReadable(int milliseconds) => socket.WaitReadable(milliseconds);

    /// <summary>The next message; null at the end, and where what came is no message.</summary>
    internal WorkerMessage? Receive()
    {
        int length = socket.Receive(_received, _numbers, out int count, out Errno error);
        var descriptors = new FileDescriptor[count];
        for (int i = 0; i < count; i++)
        {
            descriptors[i] = new FileDescriptor(_numbers[i]);
        }

        var message = new WorkerMessage(
            length == 0 ? default : (WorkerMessageKind)_received[0], length == 0 ? [] : _received.AsSpan(1, length - 1).ToArray(), descriptors);
        if (length > 0 && error == Errno.None)
        {
            return message;
        }

        message.Dispose();
        return null;
    }

    /// <summary>Ends the conversation: whoever waits for a message returns. Any thread.</summary>
    internal void Shutdown() => socket.Shutdown();

    public void Dispose() => socket.Dispose();

    private Errno Send(WorkerMessageKind kind, ReadOnlySpan<byte> payload, ReadOnlySpan<FileDescriptor> descriptors)
    {
        if (payload.Length >= MaxMessage || descriptors.Length > UnixSocket.SCM_MAX_FD)
        {
            return Errno.EMSGSIZE;
        }

        Span<int> numbers = stackalloc int[descriptors.Length];
        for (int i = 0; i < descriptors.Length; i++)
        {
            numbers[i] = descriptors[i].Number;
        }

        _sent[0] = (byte)kind;
        payload.CopyTo(_sent.AsSpan(1));
        return socket.TrySend(_sent.AsSpan(0, payload.Length + 1), numbers);
    }
}
