using System.Runtime.InteropServices;
using Vgpu.Host.Virgl.Interop;
using Vgpu.Linux;

namespace Vgpu.Host.Virgl;

// What the library calls back, of the one renderer that a process has. The record is never freed, as the library keeps its address.
internal static unsafe class LibraryCallbacks
{
    private static readonly virgl_renderer_callbacks* s_record =
        (virgl_renderer_callbacks*)NativeMemory.AllocZeroed((nuint)sizeof(virgl_renderer_callbacks));

    private static FileDescriptor? s_renderNode;
    private static uint s_done;

    /// <summary>The number of the last fence that is done.</summary>
    internal static uint Done => Volatile.Read(ref s_done);

    /// <summary>What begins before init and ends with it, where there is a node.</summary>
    internal static virgl_renderer_callbacks* Prepare(FileDescriptor? renderNode)
    {
        s_renderNode = renderNode;
        s_done = 0;
        *s_record = new virgl_renderer_callbacks
        {
            version = virgl_renderer_callbacks.Version,
            write_fence = &WriteFence,
            get_drm_fd = renderNode is null ? null : &GetDrmFd,
        };
        return s_record;
    }

    [UnmanagedCallersOnly]
    private static void WriteFence(nint cookie, uint fence) => Volatile.Write(ref s_done, fence);

    // The library closes what it is given.
    [UnmanagedCallersOnly]
    private static int GetDrmFd(nint cookie)
    {
        try
        {
            FileDescriptor duplicate = s_renderNode!.Duplicate();
            int number = duplicate.Number;
            duplicate.SetHandleAsInvalid();
            return number;
        }
        catch (LinuxException)
        {
            return -1; // EMFILE.
        }
    }
}
