using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>
/// What <see cref="SignalRing"/> does, where there is no io_uring: as the notification of an empty read that is done at once
/// (io_submit(2), IOCB_FLAG_RESFD). Second choice: a process with such a context waits for the kernel's RCU, some 30 ms,
/// when it dies (exit_aio), and whoever is to take its place waits with it.
/// </summary>
internal static unsafe class KernelSignal
{
    private const int Capacity = 256;

    // Completions that nobody looks at are thrown away after so many, well before there is no room for more.
    private const uint CollectEvery = 64;
    private const int Attempts = 4;

    private static readonly FileDescriptor? _empty;
    private static readonly nint _context;
    private static uint _submitted;

    // Once for the process: no context is ever closed, as the process's end does that.
#pragma warning disable CA1810 // The two belong together.
    static KernelSignal()
#pragma warning restore CA1810
    {
        nint context = 0;
        if (Libc.Syscall(Libc.SYS_io_setup, Capacity, (nint)(&context)) == 0)
        {
            _context = context;
            _empty = MemFd.Create("vgpu-signal", 0);
        }
    }

    /// <summary>False where this kernel has no such calls (CONFIG_AIO), or no more of them to give (fs.aio-max-nr).</summary>
    internal static bool TrySignal(int eventfd)
    {
        if (_empty is null)
        {
            return false;
        }

        var read = new Libc.Iocb { Opcode = Libc.IOCB_CMD_PREAD, Fd = _empty.Number, Flags = Libc.IOCB_FLAG_RESFD, ResFd = eventfd };
        Libc.Iocb* request = &read;
        if (Interlocked.Increment(ref _submitted) % CollectEvery == 0)
        {
            Collect();
        }

        for (int i = 0; i < Attempts; i++)
        {
            // Sound: the kernel copies the request before it returns, and the read has no buffer.
            nint submitted = Libc.IoSubmit(_context, &request, 1);
            if (submitted == 1)
            {
                return true;
            }

            if (submitted != -(nint)Errno.EAGAIN)
            {
                return false;
            }

            Collect();
        }

        return false;
    }

    private static void Collect()
    {
        Libc.IoEvent* events = stackalloc Libc.IoEvent[(int)CollectEvery];
        while (Libc.Syscall(Libc.SYS_io_getevents, _context, 0, (nint)CollectEvery, (nint)events) == CollectEvery)
        {
        }
    }
}
