using System.Runtime.InteropServices;

namespace Vgpu.Linux.Interop;

// getpwnam_r(3), getgrnam_r(3), geteuid(2), getegid(2), chown(2): users and groups, and what belongs to them.
internal static unsafe partial class Libc
{
    // struct passwd of pwd.h and struct group of grp.h, as glibc and musl lay them out.
    [StructLayout(LayoutKind.Sequential)]
    internal struct Passwd
    {
        internal byte* Name;
        internal byte* Password;
        internal uint Uid;
        internal uint Gid;
        internal byte* Gecos;
        internal byte* Home;
        internal byte* Shell;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Group
    {
        internal byte* Name;
        internal byte* Password;
        internal uint Gid;
        internal byte** Members;
    }

    // Both return an error number, and leave the result null where there is no such name.
    [LibraryImport(Library, EntryPoint = "getpwnam_r", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int GetPwNam(string name, Passwd* entry, byte* buffer, nuint length, Passwd** result);

    [LibraryImport(Library, EntryPoint = "getgrnam_r", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int GetGrNam(string name, Group* entry, byte* buffer, nuint length, Group** result);

    [LibraryImport(Library, EntryPoint = "geteuid")]
    internal static partial uint GetEUid();

    [LibraryImport(Library, EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Chown(string path, uint uid, uint gid);
}
