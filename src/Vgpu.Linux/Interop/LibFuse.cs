using System.Reflection;
using System.Runtime.InteropServices;

namespace Vgpu.Linux.Interop;

// libfuse's low-level API (fuse_lowlevel.h), found when a mount is asked for and not before.
internal static unsafe partial class LibFuse
{
    private const string Library = "libfuse3";

    // 3.17 changed the library's name; what is used here is the same in both.
    private static readonly string[] s_names = ["libfuse3.so.3", "libfuse3.so.4"];
    private static readonly Lazy<nint> s_handle = new(Load);

    /// <summary>False: not on this machine.</summary>
    internal static bool IsThere => s_handle.Value != 0;

    internal static nint SessionNew(FuseArgs* arguments, FuseOperationTable* operations, nint userData)
    {
        nuint size = (nuint)sizeof(FuseOperationTable);

        // Sound: both have had these arguments since they are there; libfuse copies the table.
        if (NativeLibrary.TryGetExport(s_handle.Value, "fuse_session_new", out nint plain))
        {
            return ((delegate* unmanaged<FuseArgs*, FuseOperationTable*, nuint, nint, nint>)plain)(arguments, operations, size, userData);
        }

        nint versioned = NativeLibrary.GetExport(s_handle.Value, "fuse_session_new_versioned");
        var version = new FuseVersion { Major = 3, Minor = 14 };
        return ((delegate* unmanaged<FuseArgs*, FuseOperationTable*, nuint, FuseVersion*, nint, nint>)versioned)(
            arguments, operations, size, &version, userData);
    }

    [LibraryImport(Library, EntryPoint = "fuse_opt_free_args")]
    internal static partial void FreeArgs(FuseArgs* arguments);

    [LibraryImport(Library, EntryPoint = "fuse_set_log_func")]
    internal static partial void SetLogFunction(delegate* unmanaged<int, byte*, nint, void> function);

    [LibraryImport(Library, EntryPoint = "fuse_session_mount", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int SessionMount(nint session, string path);

    [LibraryImport(Library, EntryPoint = "fuse_session_fd")]
    internal static partial int SessionFd(nint session);

    [LibraryImport(Library, EntryPoint = "fuse_session_process_buf")]
    internal static partial void SessionProcess(nint session, FuseBuffer* message);

    [LibraryImport(Library, EntryPoint = "fuse_session_unmount")]
    internal static partial void SessionUnmount(nint session);

    [LibraryImport(Library, EntryPoint = "fuse_session_destroy")]
    internal static partial void SessionDestroy(nint session);

    [LibraryImport(Library, EntryPoint = "fuse_req_userdata")]
    internal static partial nint UserData(nint request);

    [LibraryImport(Library, EntryPoint = "fuse_reply_err")]
    internal static partial int ReplyError(nint request, int error);

    [LibraryImport(Library, EntryPoint = "fuse_reply_none")]
    internal static partial void ReplyNone(nint request);

    [LibraryImport(Library, EntryPoint = "fuse_reply_entry")]
    internal static partial int ReplyEntry(nint request, byte* entry);

    [LibraryImport(Library, EntryPoint = "fuse_reply_attr")]
    internal static partial int ReplyAttributes(nint request, byte* stat, double seconds);

    [LibraryImport(Library, EntryPoint = "fuse_reply_readlink", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ReplyLink(nint request, string target);

    [LibraryImport(Library, EntryPoint = "fuse_reply_open")]
    internal static partial int ReplyOpen(nint request, FuseFileInfo* info);

    [LibraryImport(Library, EntryPoint = "fuse_reply_buf")]
    internal static partial int ReplyBytes(nint request, byte* bytes, nuint size);

    [LibraryImport(Library, EntryPoint = "fuse_reply_write")]
    internal static partial int ReplyWritten(nint request, nuint count);

    // Returns how much the entry needs; it was written where that fits.
    [LibraryImport(Library, EntryPoint = "fuse_add_direntry", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nuint AddEntry(nint request, byte* buffer, nuint size, string name, byte* stat, long next);

    // Takes the lock of the folder, which whoever looks something up there holds until that is answered.
    [LibraryImport(Library, EntryPoint = "fuse_lowlevel_notify_inval_entry")]
    internal static partial int NotifyGone(nint session, ulong parent, byte* name, nuint length);

    private static nint Load()
    {
        foreach (string name in s_names)
        {
            if (NativeLibrary.TryLoad(name, out nint handle))
            {
                NativeLibrary.SetDllImportResolver(typeof(LibFuse).Assembly, Resolve);
                return handle;
            }
        }

        return 0;
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name == Library ? s_handle.Value : 0;
}
