using System.Runtime.InteropServices;

namespace Vgpu.Host.Virgl.Interop;

// EGL and GL as libvirglrenderer finds them, by libepoxy, which ends the process where a library is absent: so they are looked for here
// first.
internal static unsafe class LibEgl
{
    internal const string Name = "libEGL.so.1";
    internal const string GlName = "libGL.so.1";
    private const uint GL_RENDERER = 0x1f01;

    /// <summary>What draws in the context that is current on this thread, in the driver's words.</summary>
    internal static string RendererName()
    {
        if (!NativeLibrary.TryLoad(Name, out nint library))
        {
            return "unknown";
        }

        // Sound: egl.h and gl.h have these signatures; glGetString's text is static.
        var getProcAddress = (delegate* unmanaged<byte*, nint>)NativeLibrary.GetExport(library, "eglGetProcAddress");
        fixed (byte* name = "glGetString\0"u8)
        {
            var getString = (delegate* unmanaged<uint, nint>)getProcAddress(name);
            return (getString is null ? null : Marshal.PtrToStringUTF8(getString(GL_RENDERER))) ?? "unknown";
        }
    }
}
