using System.Runtime.InteropServices;

namespace Vgpu.Linux.Interop;

// io_uring_setup(2), io_uring_register(2), io_uring_enter(2), which libc does not wrap (linux/io_uring.h); their numbers are
// the same on every architecture.
internal static unsafe partial class Libc
{
    internal const uint IORING_FEAT_SINGLE_MMAP = 1;
    internal const int IORING_REGISTER_EVENTFD = 4;
    internal const nint SYS_io_uring_setup = 425;
    internal const nint SYS_io_uring_register = 427;
    private const nint SYS_io_uring_enter = 426;

    // struct io_uring_params, with those of io_sqring_offsets and io_cqring_offsets that are used.
    [StructLayout(LayoutKind.Explicit, Size = 120)]
    internal struct IoUringParams
    {
        [FieldOffset(20)] internal uint Features;
        [FieldOffset(44)] internal uint SubmissionTail;
        [FieldOffset(80)] internal uint CompletionHead;
        [FieldOffset(84)] internal uint CompletionTail;
    }

    // Submits, and waits for nothing. A negative result is an error number, negated.
    internal static nint IoUringEnter(int ring, uint count) => OrError(Syscall6(SYS_io_uring_enter, ring, (nint)count, 0, 0, 0, 0));
}
