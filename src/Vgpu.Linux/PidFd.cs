using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>
/// A process by a descriptor (pidfd_open(2)): its number may be given to another process, this never means another. Any
/// thread.
/// </summary>
public sealed class PidFd : IDisposable
{
    private PidFd(int pid, FileDescriptor descriptor)
    {
        Pid = pid;
        Descriptor = descriptor;
    }

    /// <summary>Its number.</summary>
    public int Pid { get; }

    /// <summary>Readable once the process has ended.</summary>
    public FileDescriptor Descriptor { get; }

    /// <summary>Whether all of its threads have ended; what it held is closed then.</summary>
    public bool HasEnded => Wait(0);

    /// <summary>A process that is there now; null where there is none (ESRCH). Throws <see cref="LinuxException"/>.</summary>
    public static PidFd? Open(int pid)
    {
        nint fd = Libc.Syscall(Libc.SYS_pidfd_open, pid, 0);
        if (fd >= 0)
        {
            return new PidFd(pid, new FileDescriptor((int)fd));
        }

        LinuxException error = LinuxException.Last("pidfd_open");
        return error.Errno == Errno.ESRCH ? null : throw error;
    }

    /// <summary>SIGCONT: it goes on where it was stopped.</summary>
    public void Continue() => _ = Libc.Syscall(Libc.SYS_pidfd_send_signal, Descriptor.Number, Libc.SIGCONT);

    /// <summary>SIGKILL; does nothing where it has ended.</summary>
    public void Kill() => _ = Libc.Syscall(Libc.SYS_pidfd_send_signal, Descriptor.Number, Libc.SIGKILL);

    /// <summary>Waits for its end; false when <paramref name="timeoutMilliseconds"/> passed (-1: for ever).</summary>
    public bool Wait(int timeoutMilliseconds) => PollSet.WaitFor(Descriptor, PollEvents.POLLIN, timeoutMilliseconds);

    /// <summary>Closes the descriptor; the process goes on.</summary>
    public void Dispose() => Descriptor.Dispose();

    /// <summary>Leaves the terminal and the process group of whoever started this process (setsid(2)).</summary>
    public static void LeaveSession() => _ = Libc.SetSid();
}
