using System.Runtime.InteropServices;

namespace Vgpu.Linux.Interop;

// sigaction(2).
internal static unsafe partial class Libc
{
    internal const int SIGBUS = 7;
    internal const int SA_SIGINFO = 4;

    // struct sigaction of glibc and musl on 64-bit machines.
    [StructLayout(LayoutKind.Explicit, Size = 152)]
    internal struct SigActionArgs
    {
        [FieldOffset(0)] internal nint Handler;
        [FieldOffset(8)] internal fixed ulong Mask[16];
        [FieldOffset(136)] internal int Flags;
        [FieldOffset(144)] internal nint Restorer;
    }

    [LibraryImport(Library, EntryPoint = "sigaction", SetLastError = true)]
    internal static partial int SigAction(int signal, SigActionArgs* action, SigActionArgs* old);
}
