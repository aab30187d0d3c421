using System.Runtime.InteropServices;

namespace Vgpu.Viewers.Spice.Interop;

// gmessages.h of the GLib that libspice-server itself is linked to.
internal static unsafe partial class LibGlib
{
    private const string Library = "libglib-2.0.so.0";

    // Returns the handler before.
    [LibraryImport(Library, EntryPoint = "g_log_set_default_handler")]
    internal static partial nint SetDefaultLogHandler(delegate* unmanaged<byte*, int, byte*, nint, void> handler, nint context);
}
