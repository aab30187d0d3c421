using System.Diagnostics;
using System.Runtime.InteropServices;
using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>The folder that a tree is mounted on, and what a process that was killed left there.</summary>
internal static unsafe class MountPoint
{
    // More than one on top of another comes from nobody's habits but a loop's.
    private const int MaxStacked = 16;

    /// <summary>Makes the folder, and takes away mounts whose process has died. Throws <see cref="FuseException"/>.</summary>
    internal static void Prepare(string path)
    {
        for (int i = 0; i < MaxStacked && IsDead(path); i++)
        {
            Detach(path);
        }

        if (IsDead(path))
        {
            throw new FuseException($"{path} is a mount whose process has died, and it can't be taken away; unmount it with: umount -l {path}");
        }

        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FuseException($"the folder {path} for the tree can't be made: {e.Message}", e);
        }

        if (File.ReadLines("/proc/self/mountinfo").Any(line => IsTreeAt(line, path)))
        {
            throw new FuseException($"a tree is mounted at {path} already; end the process that serves it, or unmount it with: umount -l {path}");
        }
    }

    /// <summary>Takes the mount out of the name space, also while files of it are open.</summary>
    internal static void Detach(string path)
    {
        if (Libc.UMount2(path, Libc.MNT_DETACH) == 0 || Libc.GetEUid() == 0)
        {
            return;
        }

        try
        {
            using var unmount = Process.Start(new ProcessStartInfo("fusermount3", ["-u", "-q", "-z", "--", path]) { UseShellExecute = false });
            unmount?.WaitForExit();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // Not installed: what is still there is seen by whoever looks next.
        }
    }

    // A mount whose device nobody holds open answers everything so.
    private static bool IsDead(string path)
    {
        // Sound: the kernel fills one structure of this frame.
        Libc.Statx stat;
        return Libc.StatxAt(-1, path, 0, Libc.STATX_BASIC_STATS, &stat) < 0
            && (Errno)Marshal.GetLastPInvokeError() is Errno.ENOTCONN or Errno.ECONNABORTED;
    }

    // proc_pid_mountinfo(5): the fifth field is the mount point, the one after the hyphen the type.
    private static bool IsTreeAt(string line, string path)
    {
        string[] fields = line.Split(' ');
        int hyphen = Array.IndexOf(fields, "-");
        return hyphen > 4 && hyphen + 1 < fields.Length && fields[hyphen + 1] == "fuse." + FuseMount.Type
            && fields[4].Replace("\\040", " ", StringComparison.Ordinal) == path;
    }
}
