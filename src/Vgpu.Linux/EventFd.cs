using System.Globalization;
using System.Runtime.InteropServices;
using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>
/// An eventfd(2): a counter that a process, a VMM or the kernel waits on. Signalling and taking allocate nothing and never
/// block, whatever the other side does to a descriptor that came from there. Any thread.
/// </summary>
public sealed unsafe class EventFd : IDisposable
{
    private readonly bool _isOurs;
    private SignalRing? _ring;
    private bool _hasNoRing;

    /// <summary>Takes ownership of a descriptor received from a client.</summary>
    public EventFd(FileDescriptor descriptor)
        : this(descriptor, isOurs: false)
    {
    }

    private EventFd(FileDescriptor descriptor, bool isOurs)
    {
        Descriptor = descriptor;
        _isOurs = isOurs;
    }

    /// <summary>The descriptor itself, to pass on or to wait for.</summary>
    public FileDescriptor Descriptor { get; }

    /// <summary>A new counter at zero, non-blocking. Throws <see cref="LinuxException"/>.</summary>
    public static EventFd Create()
    {
        int fd = Libc.EventFd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK);
        return fd < 0 ? throw LinuxException.Last("eventfd") : new EventFd(new FileDescriptor(fd), isOurs: true);
    }

    /// <summary>
    /// Whether a received descriptor is an eventfd, by the name that the kernel gives its file: all of it, for a file of
    /// that name can lie in any folder.
    /// </summary>
    public static bool IsEventFd(FileDescriptor descriptor)
    {
        try
        {
            string link = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{descriptor.Number}");
            return string.Equals(new FileInfo(link).LinkTarget, "anon_inode:[eventfd]", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Adds one; a full counter stays full, which is as good.</summary>
    public void Signal()
    {
        if (_isOurs || !(Ring()?.TrySignal() ?? KernelSignal.TrySignal(Descriptor.Number)))
        {
            Write();
        }
    }

    /// <summary>Takes the count and sets it to zero; 0 when nothing is pending.</summary>
    public ulong Take()
    {
        if (TryTake(out ulong count))
        {
            return count;
        }

        // Before Linux 5.9 an eventfd does not know RWF_NOWAIT.
        return (Errno)Marshal.GetLastPInvokeError() == Errno.ENOTSUP && IsReady(Libc.POLLIN)
            && Libc.Read(Descriptor.Number, &count, sizeof(ulong)) == sizeof(ulong) ? count : 0;
    }

    /// <summary>Takes back signals that the other side has not seen yet; before Linux 5.9, none.</summary>
    public void Withdraw() => _ = TryTake(out _);

    /// <summary>Waits until the count is not zero; false when <paramref name="timeoutMilliseconds"/> passed (-1: for ever).</summary>
    public bool Wait(int timeoutMilliseconds) => PollSet.WaitFor(Descriptor, PollEvents.POLLIN, timeoutMilliseconds);

    /// <summary>Closes the descriptor.</summary>
    public void Dispose()
    {
        _ring?.Dispose();
        Descriptor.Dispose();
    }

    // Made when it is first needed, once: of two threads that are first at the same time one throws its own away.
    private SignalRing? Ring()
    {
        SignalRing? ring = Volatile.Read(ref _ring);
        if (ring is not null || _hasNoRing)
        {
            return ring;
        }

        ring = SignalRing.TryCreate(Descriptor);
        _hasNoRing = ring is null;
        if (ring is not null && Interlocked.CompareExchange(ref _ring, ring, null) is { } other)
        {
            ring.Dispose();
            return other;
        }

        return ring;
    }

    // Our own never block. Of a client's, where the kernel does not signal it, the last resort: one that looks full is
    // pending anyway.
    private void Write()
    {
        ulong one = 1;
        if (_isOurs || IsReady(Libc.POLLOUT))
        {
            _ = Libc.Write(Descriptor.Number, &one, sizeof(ulong));
        }
    }

    private bool TryTake(out ulong count)
    {
        ulong taken = 0;

        // Sound: the kernel writes eight bytes or none.
        var vector = new Libc.IoVec { Base = &taken, Length = sizeof(ulong) };
        bool done = Libc.PReadV2(Descriptor.Number, &vector, 1, -1, Libc.RWF_NOWAIT) == sizeof(ulong);
        count = taken;
        return done;
    }

    private bool IsReady(short events)
    {
        var poll = new Libc.PollFd { Fd = Descriptor.Number, Events = events };
        return Libc.Poll(&poll, 1, 0) == 1 && (poll.Revents & events) != 0;
    }
}
