using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>
/// An eventfd(2): a counter that a process, a VMM or the kernel waits on. Signalling allocates nothing and never
/// blocks, also when the descriptor came from a client as a blocking one.
/// </summary>
public sealed unsafe class EventFd : IDisposable
{
    /// <summary>Takes ownership of a descriptor received from a client.</summary>
    public EventFd(FileDescriptor descriptor) => Descriptor = descriptor;

    /// <summary>The descriptor itself, to pass on or to wait for.</summary>
    public FileDescriptor Descriptor { get; }

    /// <summary>A new counter at zero, non-blocking. Throws <see cref="LinuxException"/>.</summary>
    public static EventFd Create()
    {
        int fd = Libc.EventFd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK);
        return fd < 0 ? throw LinuxException.Last("eventfd") : new EventFd(new FileDescriptor(fd));
    }

    /// <summary>Whether a received descriptor is an eventfd, by the name that the kernel gives its file.</summary>
    public static bool IsEventFd(FileDescriptor descriptor)
    {
        try
        {
            return File.ResolveLinkTarget($"/proc/self/fd/{descriptor.Number}", returnFinalTarget: false)?.Name
                .EndsWith("anon_inode:[eventfd]", StringComparison.Ordinal) ?? false;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>
    /// Adds one. A full counter of a blocking descriptor would block the write: it is polled for first, and a
    /// counter that is full is pending anyway. Any thread.
    /// </summary>
    public void Signal()
    {
        ulong one = 1;
        var poll = new Libc.PollFd { Fd = Descriptor.Number, Events = 4 };
        if (Libc.Poll(&poll, 1, 0) == 1 && (poll.Revents & 4) != 0)
        {
            _ = Libc.Write(Descriptor.Number, &one, sizeof(ulong));
        }
    }

    /// <summary>Takes the count and sets it to zero; 0 when nothing is pending.</summary>
    public ulong Take()
    {
        ulong count = 0;
        var poll = new Libc.PollFd { Fd = Descriptor.Number, Events = Libc.POLLIN };
        return Libc.Poll(&poll, 1, 0) == 1 && Libc.Read(Descriptor.Number, &count, sizeof(ulong)) == sizeof(ulong) ? count : 0;
    }

    /// <summary>Waits until the count is not zero; false when <paramref name="timeoutMilliseconds"/> passed (-1: for ever).</summary>
    public bool Wait(int timeoutMilliseconds)
    {
        var poll = new Libc.PollFd { Fd = Descriptor.Number, Events = Libc.POLLIN };
        return Libc.Poll(&poll, 1, timeoutMilliseconds) == 1;
    }

    public void Dispose() => Descriptor.Dispose();
}
