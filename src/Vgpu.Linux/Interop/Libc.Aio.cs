using System.Runtime.InteropServices;

namespace Vgpu.Linux.Interop;

// io_setup(2), io_submit(2), io_getevents(2), which libc does not wrap (linux/aio_abi.h), and preadv2(2).
internal static unsafe partial class Libc
{
    internal const ushort IOCB_CMD_PREAD = 0;
    internal const uint IOCB_FLAG_RESFD = 1;
    internal const int RWF_NOWAIT = 8;

    // The numbers of <asm/unistd.h>; arm64 and all newer machines share one list (asm-generic/unistd.h).
    internal static readonly nint SYS_io_setup = IsX64 ? 206 : 0;
    internal static readonly nint SYS_io_getevents = IsX64 ? 208 : 4;
    private static readonly nint SYS_io_submit = IsX64 ? 209 : 2;

    // struct iocb.
    [StructLayout(LayoutKind.Explicit, Size = 64)]
    internal struct Iocb
    {
        [FieldOffset(16)] internal ushort Opcode;
        [FieldOffset(20)] internal int Fd;
        [FieldOffset(24)] internal void* Buffer;
        [FieldOffset(32)] internal ulong Length;
        [FieldOffset(40)] internal long Offset;
        [FieldOffset(56)] internal uint Flags;
        [FieldOffset(60)] internal int ResFd;
    }

    // struct io_event.
    [StructLayout(LayoutKind.Sequential, Size = 32)]
    internal struct IoEvent
    {
        internal ulong Data;
    }

    private static bool IsX64 => RuntimeInformation.ProcessArchitecture == Architecture.X64;

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint Syscall(nint number, nint first, nint second, nint third = 0, nint fourth = 0, nint fifth = 0);

    [LibraryImport(Library, EntryPoint = "preadv2", SetLastError = true)]
    internal static partial nint PReadV2(int fd, IoVec* vectors, int count, long offset, int flags);

    // A negative result is an error number, negated.
    internal static nint IoSubmit(nint context, Iocb** requests, int count) =>
        OrError(Syscall6(SYS_io_submit, context, count, (nint)requests, 0, 0, 0));

    // Without SetLastError, whose three calls more are of use to a call that fails alone: see OrError.
    [LibraryImport(Library, EntryPoint = "syscall")]
    private static partial nint Syscall6(nint number, nint first, nint second, nint third, nint fourth, nint fifth, nint sixth);

    // Right after the call, as the code that SetLastError generates reads errno too.
    private static nint OrError(nint result) => result == -1 ? -Marshal.GetLastSystemError() : result;
}
