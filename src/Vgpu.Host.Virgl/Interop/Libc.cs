using System.Runtime.InteropServices;

namespace Vgpu.Host.Virgl.Interop;

// printf(3), for the messages of older libraries, which come unformatted.
internal static unsafe partial class Libc
{
    // Sound: a va_list is passed by the address of its record on x86-64 and on arm64.
    [LibraryImport("libc", EntryPoint = "vsnprintf")]
    internal static partial int VSNPrintF(byte* target, nuint length, byte* format, nint arguments);
}
