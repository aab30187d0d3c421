using System.Runtime.InteropServices;

namespace Vgpu.Host.Virgl.Interop;

// libvirglrenderer.so.1 from 0.10.4 to 1.3 (virglrenderer.h): what they all have, and what only some have as null. State is the
// process's; all of it is called on one thread.
internal sealed unsafe class LibVirgl
{
    internal const string Name = "libvirglrenderer.so.1";
    internal const int VIRGL_RENDERER_USE_EGL = 1 << 0;
    internal const int VIRGL_RENDERER_THREAD_SYNC = 1 << 1;
    internal const int VIRGL_RENDERER_USE_SURFACELESS = 1 << 3;
    internal const uint VIRGL_RENDERER_CAPSET_VIRGL = 1;
    internal const uint VIRGL_RENDERER_CAPSET_VIRGL2 = 2;

    private readonly delegate* unmanaged<nint, int, virgl_renderer_callbacks*, int> _init;
    private readonly delegate* unmanaged<nint, void> _cleanup;
    private readonly delegate* unmanaged<void> _poll;
    private readonly delegate* unmanaged<int> _getPollFd;
    private readonly delegate* unmanaged<void> _forceContext0;
    private readonly delegate* unmanaged<uint, uint*, uint*, void> _getCapSet;
    private readonly delegate* unmanaged<uint, uint, void*, void> _fillCaps;
    private readonly delegate* unmanaged<uint, uint, byte*, int> _contextCreate;
    private readonly delegate* unmanaged<uint, uint, uint, byte*, int> _contextCreateWithFlags;
    private readonly delegate* unmanaged<uint, void> _contextDestroy;
    private readonly delegate* unmanaged<int, int, void> _contextAttachResource;
    private readonly delegate* unmanaged<int, int, void> _contextDetachResource;
    private readonly delegate* unmanaged<virgl_renderer_resource_create_args*, IoVec*, uint, int> _resourceCreate;
    private readonly delegate* unmanaged<uint, void> _resourceUnref;
    private readonly delegate* unmanaged<int, IoVec*, int, int> _resourceAttachIov;
    private readonly delegate* unmanaged<int, IoVec**, int*, void> _resourceDetachIov;
    private readonly delegate* unmanaged<uint, uint, int, uint, uint, virgl_box*, ulong, IoVec*, uint, int> _transferWriteIov;
    private readonly delegate* unmanaged<uint, uint, uint, uint, uint, virgl_box*, ulong, IoVec*, int, int> _transferReadIov;
    private readonly delegate* unmanaged<void*, int, int, int> _submitCmd;
    private readonly delegate* unmanaged<int, uint, int> _createFence;
    private readonly delegate* unmanaged<delegate* unmanaged<byte*, nint, void>, nint> _setDebugCallback;
    private readonly delegate* unmanaged<delegate* unmanaged<int, byte*, nint, void>, nint, nint, void> _setLogCallback;

    // Sound: the signatures are virglrenderer.h's, which has kept them since 0.10.
    private LibVirgl(nint library)
    {
        _init = (delegate* unmanaged<nint, int, virgl_renderer_callbacks*, int>)NativeLibrary.GetExport(library, "virgl_renderer_init");
        _cleanup = (delegate* unmanaged<nint, void>)NativeLibrary.GetExport(library, "virgl_renderer_cleanup");
        _poll = (delegate* unmanaged<void>)NativeLibrary.GetExport(library, "virgl_renderer_poll");
        _getPollFd = (delegate* unmanaged<int>)NativeLibrary.GetExport(library, "virgl_renderer_get_poll_fd");
        _forceContext0 = (delegate* unmanaged<void>)NativeLibrary.GetExport(library, "virgl_renderer_force_ctx_0");
        _getCapSet = (delegate* unmanaged<uint, uint*, uint*, void>)NativeLibrary.GetExport(library, "virgl_renderer_get_cap_set");
        _fillCaps = (delegate* unmanaged<uint, uint, void*, void>)NativeLibrary.GetExport(library, "virgl_renderer_fill_caps");
        _contextCreate = (delegate* unmanaged<uint, uint, byte*, int>)NativeLibrary.GetExport(library, "virgl_renderer_context_create");
        _contextCreateWithFlags = (delegate* unmanaged<uint, uint, uint, byte*, int>)ExportOrNull(library, "virgl_renderer_context_create_with_flags");
        _contextDestroy = (delegate* unmanaged<uint, void>)NativeLibrary.GetExport(library, "virgl_renderer_context_destroy");
        _contextAttachResource = (delegate* unmanaged<int, int, void>)NativeLibrary.GetExport(library, "virgl_renderer_ctx_attach_resource");
        _contextDetachResource = (delegate* unmanaged<int, int, void>)NativeLibrary.GetExport(library, "virgl_renderer_ctx_detach_resource");
        _resourceCreate = (delegate* unmanaged<virgl_renderer_resource_create_args*, IoVec*, uint, int>)NativeLibrary.GetExport(library, "virgl_renderer_resource_create");
        _resourceUnref = (delegate* unmanaged<uint, void>)NativeLibrary.GetExport(library, "virgl_renderer_resource_unref");
        _resourceAttachIov = (delegate* unmanaged<int, IoVec*, int, int>)NativeLibrary.GetExport(library, "virgl_renderer_resource_attach_iov");
        _resourceDetachIov = (delegate* unmanaged<int, IoVec**, int*, void>)NativeLibrary.GetExport(library, "virgl_renderer_resource_detach_iov");
        _transferWriteIov = (delegate* unmanaged<uint, uint, int, uint, uint, virgl_box*, ulong, IoVec*, uint, int>)NativeLibrary.GetExport(library, "virgl_renderer_transfer_write_iov");
        _transferReadIov = (delegate* unmanaged<uint, uint, uint, uint, uint, virgl_box*, ulong, IoVec*, int, int>)NativeLibrary.GetExport(library, "virgl_renderer_transfer_read_iov");
        _submitCmd = (delegate* unmanaged<void*, int, int, int>)NativeLibrary.GetExport(library, "virgl_renderer_submit_cmd");
        _createFence = (delegate* unmanaged<int, uint, int>)NativeLibrary.GetExport(library, "virgl_renderer_create_fence");
        _setDebugCallback = (delegate* unmanaged<delegate* unmanaged<byte*, nint, void>, nint>)ExportOrNull(library, "virgl_set_debug_callback");
        _setLogCallback = (delegate* unmanaged<delegate* unmanaged<int, byte*, nint, void>, nint, nint, void>)ExportOrNull(library, "virgl_set_log_callback");
    }

    /// <summary>Null where it is absent or lacks a function: <paramref name="reason"/> says which.</summary>
    internal static LibVirgl? TryLoad(string name, out string? reason)
    {
        reason = null;
        if (!NativeLibrary.TryLoad(name, out nint library))
        {
            reason = $"{name} is not on this host";
            return null;
        }

        try
        {
            // It stays loaded: it has threads and GL state of its own, and is not made to be taken out.
            return new LibVirgl(library);
        }
        catch (EntryPointNotFoundException e)
        {
            NativeLibrary.Free(library);
            reason = $"{name} is too old or another library: {e.Message}";
            return null;
        }
    }

    /// <summary>The file that was loaded, whose name says the version; there is no function that does.</summary>
    internal static string FileName() =>
        Path.GetFileName(File.ReadLines("/proc/self/maps").FirstOrDefault(line => line.Contains("/libvirglrenderer.so", StringComparison.Ordinal))) ?? Name;

    internal int Init(nint cookie, int flags, virgl_renderer_callbacks* callbacks) => _init(cookie, flags, callbacks);

    internal void Cleanup(nint cookie) => _cleanup(cookie);

    internal void Poll() => _poll();

    // Negative: fences must be polled for.
    internal int GetPollFd() => _getPollFd();

    internal void ForceContext0() => _forceContext0();

    internal void GetCapSet(uint set, uint* maxVersion, uint* maxSize) => _getCapSet(set, maxVersion, maxSize);

    internal void FillCaps(uint set, uint version, void* caps) => _fillCaps(set, version, caps);

    // The name is read up to a zero or 64 bytes, whatever its length.
    internal int CreateContext(uint context, uint capset, uint nameLength, byte* name) =>
        capset != 0 && _contextCreateWithFlags is not null
            ? _contextCreateWithFlags(context, capset, nameLength, name)
            : _contextCreate(context, nameLength, name);

    internal void DestroyContext(uint context) => _contextDestroy(context);

    internal void AttachResource(uint context, uint resource) => _contextAttachResource((int)context, (int)resource);

    internal void DetachResource(uint context, uint resource) => _contextDetachResource((int)context, (int)resource);

    internal int CreateResource(virgl_renderer_resource_create_args* args) => _resourceCreate(args, null, 0);

    internal void UnrefResource(uint resource) => _resourceUnref(resource);

    internal int AttachIov(uint resource, IoVec* vectors, int count) => _resourceAttachIov((int)resource, vectors, count);

    internal void DetachIov(uint resource) => _resourceDetachIov((int)resource, null, null);

    // No vectors: the resource's own.
    internal int TransferWrite(uint resource, uint context, uint level, uint stride, uint layerStride, virgl_box* box, ulong offset) =>
        _transferWriteIov(resource, context, (int)level, stride, layerStride, box, offset, null, 0);

    internal int TransferRead(uint resource, uint context, uint level, uint stride, uint layerStride, virgl_box* box, ulong offset, IoVec* vectors, int count) =>
        _transferReadIov(resource, context, level, stride, layerStride, box, offset, vectors, count);

    internal int Submit(void* commands, uint context, int words) => _submitCmd(commands, (int)context, words);

    internal int CreateFence(uint fence) => _createFence((int)fence, 0);

    /// <summary>Where it says something from now on, by whichever of the two ways it has.</summary>
    internal void SetLog(delegate* unmanaged<int, byte*, nint, void> log, delegate* unmanaged<byte*, nint, void> debug)
    {
        if (_setLogCallback is not null)
        {
            _setLogCallback(log, 0, 0);
        }
        else if (_setDebugCallback is not null)
        {
            _setDebugCallback(debug);
        }
    }

    private static nint ExportOrNull(nint library, string name) => NativeLibrary.TryGetExport(library, name, out nint function) ? function : 0;
}
