// What a conversation needs that outlives the process which leads it: looking without taking (SO_PEEK_OFF, socket(7)), and
// transfers whose count survives (CountedTransfer).
using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

public sealed unsafe partial class UnixSocket
{
    /// <summary>
    /// Where <see cref="Peek"/> begins, in unread bytes from the front; each peek moves it on, each receive takes it along.
    /// It belongs to the socket, whichever process has it. Throws <see cref="LinuxException"/>.
    /// </summary>
    public void SetPeekOffset(int bytes) => SetOption(Libc.SO_PEEK_OFF, &bytes, sizeof(int));

    /// <summary>
    /// How long <see cref="Peek"/> and the receives wait before they answer EAGAIN; 0: for ever. Belongs to the socket.
    /// Throws <see cref="LinuxException"/>.
    /// </summary>
    public void SetReceiveTimeout(int milliseconds) => SetTimeout(Libc.SO_RCVTIMEO, milliseconds);

    /// <summary>
    /// As <see cref="Receive"/>, but the bytes stay unread; the descriptors are
    /// duplicates, and come again with every look at a byte that was sent in the same call. EAGAIN: nothing came in time.
    /// </summary>
    public int Peek(Span<byte> buffer, Span<int> descriptors, out int descriptorCount, out Errno error) =>
        ReceiveMessage(buffer, descriptors, Libc.MSG_PEEK, out descriptorCount, out error);

    /// <summary>
    /// Receives at least one byte and no descriptors: those that come are closed, see <see cref="CountedTransfer.IsTruncated"/>.
    /// The count is in <paramref name="transfer"/>, which was cleared; 0 at the end of the stream and after an error. EAGAIN:
    /// nothing came in time, or at once where <paramref name="wait"/> is false.
    /// </summary>
    public Errno ReceiveCounted(CountedTransfer transfer, Span<byte> buffer, bool wait)
    {
        // Sound: the span is pinned for the call, and the kernel writes within the length given.
        fixed (byte* data = buffer)
        {
            var iov = new Libc.IoVec { Base = data, Length = (nuint)buffer.Length };
            nint done;
            do
            {
                transfer.Header->Message = new Libc.MsgHdr { Iov = &iov, IovLength = 1 };
                done = Libc.RecvMMsg(_descriptor.Number, transfer.Header, 1, wait ? 0 : Libc.MSG_DONTWAIT);
            }
            while (done == -(nint)Errno.EINTR);

            return done < 0 ? (Errno)(-done) : Errno.None;
        }
    }

    /// <summary>
    /// Sends at least one byte, with the descriptors on the first; blocks while the peer does not read. The count is in
    /// <paramref name="transfer"/>, which was cleared.
    /// </summary>
    public Errno SendCounted(CountedTransfer transfer, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> descriptors)
    {
        int controlLength = descriptors.IsEmpty ? 0 : ControlSpace(descriptors.Length);
        byte* control = stackalloc byte[controlLength + 1];
        Attach(descriptors, control, controlLength);

        // Sound: the span is pinned for the call, and the kernel reads within the length given.
        fixed (byte* data = bytes)
        {
            var iov = new Libc.IoVec { Base = data, Length = (nuint)bytes.Length };
            nint done;
            do
            {
                transfer.Header->Message = new Libc.MsgHdr { Iov = &iov, IovLength = 1, Control = control, ControlLength = (nuint)controlLength };
                done = Libc.SendMMsg(_descriptor.Number, transfer.Header, 1, Libc.MSG_NOSIGNAL);
            }
            while (done == -(nint)Errno.EINTR);

            return done < 0 ? (Errno)(-done) : Errno.None;
        }
    }

    /// <summary>Bytes that came and were not received yet (FIONREAD). Throws <see cref="LinuxException"/>.</summary>
    public int Unread() => UnreadOf(_descriptor);

    /// <summary>The same of any socket. Throws <see cref="LinuxException"/>.</summary>
    public static int UnreadOf(FileDescriptor socket)
    {
        int bytes;
        return Libc.Syscall(Libc.SYS_ioctl, socket.Number, Libc.FIONREAD, (nint)(&bytes)) < 0 ? throw LinuxException.Last("ioctl") : bytes;
    }

    private void SetTimeout(int option, int milliseconds)
    {
        var time = new Libc.TimeVal { Seconds = milliseconds / 1000, Microseconds = milliseconds % 1000 * 1000L };
        SetOption(option, &time, (uint)sizeof(Libc.TimeVal));
    }

    private void SetOption(int option, void* value, uint length)
    {
        if (Libc.SetSockOpt(_descriptor.Number, Libc.SOL_SOCKET, option, value, length) < 0)
        {
            throw LinuxException.Last("setsockopt");
        }
    }
}
