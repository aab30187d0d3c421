using System.Runtime.InteropServices;

namespace Vgpu.Host.Virgl.Interop;

// struct iovec (sys/uio.h).
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVec
{
    internal void* Base;
    internal nuint Length;
}

// virgl_hw.h.
[StructLayout(LayoutKind.Sequential)]
internal struct virgl_box
{
    internal uint x;
    internal uint y;
    internal uint z;
    internal uint w;
    internal uint h;
    internal uint d;
}

// virglrenderer.h.
[StructLayout(LayoutKind.Sequential)]
internal struct virgl_renderer_resource_create_args
{
    internal uint handle;
    internal uint target;
    internal uint format;
    internal uint bind;
    internal uint width;
    internal uint height;
    internal uint depth;
    internal uint array_size;
    internal uint last_level;
    internal uint nr_samples;
    internal uint flags;
}

// virglrenderer.h, up to what version 2 has: version 3 is for fences that come on the library's threads, and 4 for an EGL of ours.
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct virgl_renderer_callbacks
{
    internal const int Version = 2;

    internal int version;
    internal delegate* unmanaged<nint, uint, void> write_fence;
    internal nint create_gl_context;
    internal nint destroy_gl_context;
    internal nint make_current;
    internal delegate* unmanaged<nint, int> get_drm_fd;
}
