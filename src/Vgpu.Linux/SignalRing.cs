using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>
/// Adds one to somebody else's eventfd as the kernel's VFIO does (eventfd_signal), which never blocks: as the notification
/// of an io_uring(7) that nothing was done (IORING_REGISTER_EVENTFD, IORING_OP_NOP). A write would block on a full counter,
/// and no flag prevents that: the other side can clear O_NONBLOCK, or fill the counter, at any moment. Any thread.
/// </summary>
/// <remarks>
/// The submission array and its entries stay the zeros that they begin as: a submission is the entry 0, which is a NOP. So only
/// the two rings' indices are ever touched, under <see cref="_lock"/>, which is held for one system call.
/// </remarks>
internal sealed unsafe class SignalRing : IDisposable
{
    private const uint Entries = 1;

    // More than both rings of one entry take; the kernel has whole pages there.
    private const ulong RingsLength = 4096;

    private readonly Lock _lock = new();
    private readonly FileDescriptor _ring;
    private readonly MemoryMapping _memory;
    private readonly Libc.IoUringParams _layout;
    private bool _disposed;

    private SignalRing(FileDescriptor ring, MemoryMapping memory, in Libc.IoUringParams layout)
    {
        _ring = ring;
        _memory = memory;
        _layout = layout;
    }

    /// <summary>Null where this kernel has no such ring to give: io_uring_disabled, a seccomp filter, no descriptors left.</summary>
    internal static SignalRing? TryCreate(FileDescriptor eventfd)
    {
        Libc.IoUringParams layout = default;
        long fd = Libc.Syscall(Libc.SYS_io_uring_setup, (nint)Entries, (nint)(&layout));
        if (fd < 0)
        {
            return null;
        }

        var ring = new FileDescriptor((int)fd);
        try
        {
            int target = eventfd.Number;
            if ((layout.Features & Libc.IORING_FEAT_SINGLE_MMAP) != 0
                && Libc.Syscall(Libc.SYS_io_uring_register, ring.Number, Libc.IORING_REGISTER_EVENTFD, (nint)(&target), 1) == 0)
            {
                return new SignalRing(ring, MemoryMapping.Share(ring, 0, RingsLength, MemoryProtection.ReadWrite), layout);
            }
        }
        catch (LinuxException)
        {
            // As little to give as where it refuses.
        }

        ring.Dispose();
        return null;
    }

    /// <summary>False where the kernel would not, and nothing was signalled. Allocates nothing.</summary>
    internal bool TrySignal()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return false;
            }

            // Sound: the kernel said where they are, and they lie within the mapping, which the lock keeps.
            ref uint submitted = ref *(uint*)(_memory.Pointer + _layout.SubmissionTail);
            ref uint taken = ref *(uint*)(_memory.Pointer + _layout.CompletionHead);
            ref uint completed = ref *(uint*)(_memory.Pointer + _layout.CompletionTail);
            uint before = submitted;
            Volatile.Write(ref submitted, before + 1);
            bool done = Libc.IoUringEnter(_ring.Number, 1) == 1;
            Volatile.Write(ref taken, Volatile.Read(ref completed));
            if (!done)
            {
                Volatile.Write(ref submitted, before);
            }

            return done;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (!_disposed)
            {
                _disposed = true;
                _memory.Dispose();
                _ring.Dispose();
            }
        }
    }
}
