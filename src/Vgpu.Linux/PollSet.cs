using System.Runtime.InteropServices;
using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>What to wait for, and what came (poll(2)).</summary>
[Flags]
public enum PollEvents : short
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Something can be read.</summary>
    POLLIN = 0x001,

    /// <summary>Something can be written.</summary>
    POLLOUT = 0x004,

    /// <summary>An error; comes unasked.</summary>
    POLLERR = 0x008,

    /// <summary>The other side has hung up; comes unasked.</summary>
    POLLHUP = 0x010,

    /// <summary>Not an open descriptor; comes unasked.</summary>
    POLLNVAL = 0x020,

    /// <summary>The other side sends no more.</summary>
    POLLRDHUP = 0x2000,
}

/// <summary>
/// Descriptors to wait for together: poll(2). One thread; cleared and filled again for each wait, which allocates
/// nothing once it has grown.
/// </summary>
public sealed unsafe class PollSet
{
    private Libc.PollFd[] _entries = new Libc.PollFd[8];

    /// <summary>Descriptors in it.</summary>
    public int Count { get; private set; }

    /// <summary>Takes all out.</summary>
    public void Clear() => Count = 0;

    /// <summary>Adds a descriptor, which stays open until the wait is over. Returns its index.</summary>
    public int Add(FileDescriptor descriptor, PollEvents events)
    {
        if (Count == _entries.Length)
        {
            Array.Resize(ref _entries, Count * 2);
        }

        _entries[Count] = new Libc.PollFd { Fd = descriptor.Number, Events = (short)events };
        return Count++;
    }

    /// <summary>
    /// Waits until one is ready; false when <paramref name="timeoutMilliseconds"/> passed (-1: for ever) or a signal
    /// came. Throws <see cref="LinuxException"/>.
    /// </summary>
    public bool Wait(int timeoutMilliseconds)
    {
        // Sound: the array is pinned for the call and holds Count entries or more.
        fixed (Libc.PollFd* entries = _entries)
        {
            int ready = Libc.Poll(entries, (ulong)Count, timeoutMilliseconds);
            return Ended(ready);
        }
    }

    /// <summary>As <see cref="Wait(int)"/>, for so many nanoseconds (negative: for ever): ppoll(2), as precise as the kernel's timers.</summary>
    public bool WaitNanoseconds(long timeout)
    {
        const long Second = 1_000_000_000;
        var time = new Libc.TimeSpec { Seconds = timeout / Second, Nanoseconds = timeout % Second };

        // Sound: as above; the time is of this frame, and no signals are masked.
        fixed (Libc.PollFd* entries = _entries)
        {
            int ready = Libc.PPoll(entries, (ulong)Count, timeout < 0 ? null : &time, null);
            return Ended(ready);
        }
    }

    private bool Ended(int ready)
    {
        if (ready >= 0)
        {
            return ready > 0;
        }

        if (Marshal.GetLastPInvokeError() != (int)Errno.EINTR)
        {
            throw LinuxException.Last("poll");
        }

        for (int i = 0; i < Count; i++)
        {
            _entries[i].Revents = 0;
        }

        return false;
    }

    /// <summary>
    /// Waits for one descriptor, also through signals: whether anything came for it, errors and hang-up too; false when
    /// <paramref name="timeoutMilliseconds"/> passed (-1: for ever).
    /// </summary>
    internal static bool WaitFor(FileDescriptor descriptor, PollEvents events, int timeoutMilliseconds)
    {
        long end = Environment.TickCount64 + timeoutMilliseconds;
        int left = timeoutMilliseconds;
        while (true)
        {
            var entry = new Libc.PollFd { Fd = descriptor.Number, Events = (short)events };
            int ready = Libc.Poll(&entry, 1, left);
            if (ready >= 0 || Marshal.GetLastPInvokeError() != (int)Errno.EINTR)
            {
                return ready == 1;
            }

            left = timeoutMilliseconds < 0 ? timeoutMilliseconds : (int)Math.Max(end - Environment.TickCount64, 0);
        }
    }

    /// <summary>What came for the descriptor with this index; errors and hang-up come unasked.</summary>
    public PollEvents Ready(int index) =>
        index < Count ? (PollEvents)_entries[index].Revents : throw new ArgumentOutOfRangeException(nameof(index));
}
