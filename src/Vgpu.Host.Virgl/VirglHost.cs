// What a host must have for VirGL, looked for without starting anything.
using System.Runtime.InteropServices;
using Vgpu.Host.Virgl.Interop;
using Vgpu.Linux;

namespace Vgpu.Host.Virgl;

/// <summary>The names of the libraries; a test takes ones that are not there.</summary>
internal sealed record VirglHost(string Virgl, string Egl, string Gl)
{
    /// <summary>This host's.</summary>
    internal static VirglHost This { get; } = new(LibVirgl.Name, LibEgl.Name, LibEgl.GlName);

    /// <summary>The library; null, with a line for the operator, where that or another is absent.</summary>
    internal LibVirgl? TryLoad(out string? missing)
    {
        LibVirgl? library = LibVirgl.TryLoad(Virgl, out string? reason);
        missing = library is null ? $"no VirGL: {reason}; install Debian's package libvirglrenderer1"
            : !NativeLibrary.TryLoad(Egl, out _) ? $"no VirGL: {Egl} is not on this host; install Debian's packages libegl1 and libegl-mesa0"
            : !NativeLibrary.TryLoad(Gl, out _) ? $"no VirGL: {Gl} is not on this host; install Debian's package libgl1"
            : null;
        return missing is null ? library : null;
    }

    /// <summary>The host GPU that was chosen; null: none was, or <paramref name="missing"/> says why it can't be had.</summary>
    internal static FileDescriptor? TryOpen(string? renderNode, out string? missing)
    {
        missing = null;
        if (renderNode is null)
        {
            return null;
        }

        try
        {
            return FileDescriptor.OpenReadWrite(renderNode);
        }
        catch (LinuxException e)
        {
            missing = e.Errno is Errno.EACCES or Errno.EPERM
                ? $"no VirGL: {renderNode} may not be opened; add the user to the group that owns it (Debian's render)"
                : $"no VirGL: {renderNode} can't be opened ({e.Message}); it takes a GPU whose kernel driver makes that node";
            return null;
        }
    }
}
