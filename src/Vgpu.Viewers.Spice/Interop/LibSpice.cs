using System.Runtime.InteropServices;

namespace Vgpu.Viewers.Spice.Interop;

// spice-server.h and spice-qxl.h of spice-server 0.15; loaded when it is first needed. All but wakeup are called on the
// thread that runs the loop.
internal static unsafe partial class LibSpice
{
    internal const int SPICE_ADDR_FLAG_IPV4_ONLY = 1 << 0;
    internal const int SPICE_ADDR_FLAG_IPV6_ONLY = 1 << 1;

    internal const int SPICE_IMAGE_COMPRESSION_AUTO_GLZ = 2;
    internal const int SPICE_WAN_COMPRESSION_AUTO = 1;
    internal const int SPICE_WAN_COMPRESSION_NEVER = 3;
    internal const int SPICE_STREAM_VIDEO_OFF = 1;
    internal const int SPICE_STREAM_VIDEO_FILTER = 3;

    // SPICE_MAX_PASSWORD_LENGTH of spice/protocol.h.
    internal const int SPICE_MAX_PASSWORD_LENGTH = 60;

    private const string Library = "libspice-server.so.1";

    private static readonly Lazy<bool> s_isThere = new(() => NativeLibrary.TryLoad(Library, out _));

    /// <summary>Whether the machine has it; it stays loaded.</summary>
    internal static bool IsThere => s_isThere.Value;

    [LibraryImport(Library, EntryPoint = "spice_server_new")]
    internal static partial nint New();

    [LibraryImport(Library, EntryPoint = "spice_server_init")]
    internal static partial int Init(nint server, SpiceCoreInterface* core);

    [LibraryImport(Library, EntryPoint = "spice_server_destroy")]
    internal static partial void Destroy(nint server);

    [LibraryImport(Library, EntryPoint = "spice_server_set_addr", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial void SetAddress(nint server, string address, int flags);

    [LibraryImport(Library, EntryPoint = "spice_server_set_port")]
    internal static partial int SetPort(nint server, int port);

    [LibraryImport(Library, EntryPoint = "spice_server_set_name", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial void SetName(nint server, string name);

    [LibraryImport(Library, EntryPoint = "spice_server_set_noauth")]
    internal static partial int SetNoAuth(nint server);

    [LibraryImport(Library, EntryPoint = "spice_server_set_ticket", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int SetTicket(nint server, string password, int lifetime, int failIfConnected, int disconnectIfConnected);

    [LibraryImport(Library, EntryPoint = "spice_server_set_tls", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int SetTls(nint server, int port, string caFile, string certificatesFile, string keyFile, string? keyPassword, string? dhFile, string? ciphers);

    [LibraryImport(Library, EntryPoint = "spice_server_set_image_compression")]
    internal static partial int SetImageCompression(nint server, int compression);

    [LibraryImport(Library, EntryPoint = "spice_server_set_jpeg_compression")]
    internal static partial int SetJpegCompression(nint server, int compression);

    [LibraryImport(Library, EntryPoint = "spice_server_set_streaming_video")]
    internal static partial int SetStreamingVideo(nint server, int value);

    [LibraryImport(Library, EntryPoint = "spice_server_set_agent_mouse")]
    internal static partial int SetAgentMouse(nint server, int isOn);

    [LibraryImport(Library, EntryPoint = "spice_server_set_agent_copypaste")]
    internal static partial int SetAgentCopyPaste(nint server, int isOn);

    [LibraryImport(Library, EntryPoint = "spice_server_set_agent_file_xfer")]
    internal static partial int SetAgentFileTransfer(nint server, int isOn);

    // The library owns the socket where it returns 0.
    [LibraryImport(Library, EntryPoint = "spice_server_add_client")]
    internal static partial int AddClient(nint server, int socket, int skipAuthentication);

    [LibraryImport(Library, EntryPoint = "spice_server_add_interface")]
    internal static partial int AddInterface(nint server, void* instance);

    [LibraryImport(Library, EntryPoint = "spice_server_vm_start")]
    internal static partial void VmStart(nint server);

    [LibraryImport(Library, EntryPoint = "spice_qxl_add_memslot")]
    internal static partial void AddMemSlot(QXLInstance* instance, QXLDevMemSlot* slot);

    [LibraryImport(Library, EntryPoint = "spice_qxl_create_primary_surface")]
    internal static partial void CreatePrimarySurface(QXLInstance* instance, uint id, QXLDevSurfaceCreate* surface);

    [LibraryImport(Library, EntryPoint = "spice_qxl_destroy_primary_surface")]
    internal static partial void DestroyPrimarySurface(QXLInstance* instance, uint id);

    [LibraryImport(Library, EntryPoint = "spice_qxl_set_device_info", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial void SetDeviceInfo(QXLInstance* instance, string address, uint firstDisplay, uint displays);

    // Both only leave a word for the library's worker.
    [LibraryImport(Library, EntryPoint = "spice_qxl_wakeup")]
    internal static partial void Wakeup(QXLInstance* instance);

    [LibraryImport(Library, EntryPoint = "spice_qxl_oom")]
    internal static partial void OutOfMemory(QXLInstance* instance);
}
