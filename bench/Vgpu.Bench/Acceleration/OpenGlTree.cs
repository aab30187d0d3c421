using System.Runtime.InteropServices;
using Vgpu.Qemu;

namespace Vgpu.Bench.Acceleration;

/// <summary>The tree of eng/setup --with qemu-opengl: a QEMU, a renderer library, a Mesa, and the C library that they need.</summary>
internal static class OpenGlTree
{
    private static readonly string s_root = Path.Combine(QemuInstallation.CacheFolder, "qemu-opengl");
    private static readonly string s_libraries = Path.Combine(s_root, "usr/lib/x86_64-linux-gnu");

    internal static string Qemu { get; } = Path.Combine(QemuInstallation.CacheFolder, "bin", "qemu-opengl");

    /// <summary>For the reader: what is in it.</summary>
    internal static string Versions
    {
        get
        {
            string[] lines = File.ReadAllLines(Path.Combine(s_root, "versions"));
            return $"virglrenderer {lines[0]}, Mesa {lines[1]}";
        }
    }

    /// <summary>The command line that runs a .NET program with the tree's libraries.</summary>
    internal static (string Program, IReadOnlyList<string> Arguments) Command(string assembly, params IEnumerable<string> arguments)
    {
        string runtime = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        string hostfxr = Path.Combine(runtime, "host/fxr", Environment.Version.ToString(), "libhostfxr.so");
        return (
            Path.Combine(s_root, "usr/lib64/ld-linux-x86-64.so.2"),
            ["--library-path", s_libraries, Path.Combine(QemuInstallation.CacheFolder, "bench", "hostfxr"), hostfxr, runtime, assembly, .. arguments]);
    }

    /// <summary>Where its libraries find what they load by name.</summary>
    internal static IReadOnlyList<(string Name, string Value)> SearchPaths { get; } =
    [
        ("LIBGL_DRIVERS_PATH", Path.Combine(s_libraries, "dri")),
        ("GBM_BACKENDS_PATH", Path.Combine(s_libraries, "gbm")),
        ("__EGL_VENDOR_LIBRARY_DIRS", Path.Combine(s_root, "usr/share/glvnd/egl_vendor.d")),
        ("DRIRC_CONFIGDIR", Path.Combine(s_root, "usr/share/drirc.d")),
    ];
}
