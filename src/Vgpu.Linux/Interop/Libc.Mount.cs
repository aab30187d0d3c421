using System.Runtime.InteropServices;

namespace Vgpu.Linux.Interop;

// umount2(2), getegid(2), vsnprintf(3).
internal static unsafe partial class Libc
{
    internal const int MNT_FORCE = 1;
    internal const int MNT_DETACH = 2;
    internal const int F_SETFL = 4;

    [LibraryImport(Library, EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int UMount2(string path, int flags);


    [LibraryImport(Library, EntryPoint = "getegid")]
    internal static partial uint GetEGid();

    // A va_list is handed on as a pointer on x86-64 and arm64 alike.
    [LibraryImport(Library, EntryPoint = "vsnprintf")]
    internal static partial int VSnPrintF(byte* buffer, nuint size, byte* format, nint arguments);
}
