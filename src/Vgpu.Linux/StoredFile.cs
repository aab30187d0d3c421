using Microsoft.Win32.SafeHandles;
using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>Files that must outlive a crash, and folders that others write to as well: what System.IO has no call for.</summary>
public static class StoredFile
{
    /// <summary>
    /// Reads a plain file of at most <paramref name="limit"/> bytes; null where the path names something else (a link, a
    /// folder, a device, a pipe) or a longer file. Never waits for a pipe's other end. Throws <see cref="LinuxException"/>.
    /// </summary>
    public static byte[]? TryRead(string path, int limit)
    {
        int number = Libc.Open(path, Libc.O_RDONLY | Libc.O_CLOEXEC | Libc.O_NOFOLLOW | Libc.O_NONBLOCK, 0);
        if (number < 0)
        {
            LinuxException failure = LinuxException.Last("open", path);

            // A link is refused with ELOOP, a socket and a device without a driver with ENXIO.
            return (int)failure.Errno == Libc.ELOOP || failure.Errno == Errno.ENXIO ? null : throw failure;
        }

        using var file = new FileDescriptor(number);
        FileFacts facts = file.Inspect();
        if (!facts.IsRegularFile || facts.Size > (ulong)limit)
        {
            return null;
        }

        byte[] content = new byte[limit + 1];
        using var handle = new SafeFileHandle(file.Number, ownsHandle: false);
        int length = 0;
        while (length < content.Length)
        {
            int read = RandomAccess.Read(handle, content.AsSpan(length), length);
            if (read == 0)
            {
                break;
            }

            length += read;
        }

        return length > limit ? null : content[..length];
    }

    /// <summary>Makes <paramref name="path"/>'s content outlive a crash of the host; a folder's content is its names. Throws <see cref="LinuxException"/>.</summary>
    public static void Sync(string path)
    {
        using FileDescriptor file = FileDescriptor.OpenRead(path);
        if (Libc.FSync(file.Number) < 0)
        {
            throw LinuxException.Last("fsync", path);
        }
    }

    /// <summary>rename(2): of whatever is there, a link as itself; replaces a file at <paramref name="to"/>. Throws <see cref="LinuxException"/>.</summary>
    public static void Rename(string from, string to)
    {
        if (Libc.Rename(from, to) < 0)
        {
            throw LinuxException.Last("rename", from);
        }
    }
}
