using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>Whose a file is (chown(2)), and for whom (chmod(2)).</summary>
public static class FileOwner
{
    /// <summary>Mode 0700: the owner's alone. Throws <see cref="LinuxException"/>.</summary>
    public static void Restrict(string path)
    {
        if (Libc.Chmod(path, 0b111_000_000) < 0)
        {
            throw LinuxException.Last("chmod", path);
        }
    }

    /// <summary>Gives a file, a folder or a socket away, by number. Throws <see cref="LinuxException"/> (EPERM but for root).</summary>
    public static void Set(string path, uint uid, uint gid)
    {
        if (Libc.Chown(path, uid, gid) < 0)
        {
            throw LinuxException.Last("chown", path);
        }
    }
}
