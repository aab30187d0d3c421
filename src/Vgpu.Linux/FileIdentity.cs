using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>
/// Which file a descriptor refers to, how large that is and how it was opened: fstat(2) and F_GETFL, the little that tells
/// a file that was looked at before (<see cref="FileFacts"/>) from others.
/// </summary>
/// <param name="Device">As in <see cref="FileFacts.Identity"/>.</param>
/// <param name="Inode">As in <see cref="FileFacts.Identity"/>.</param>
/// <param name="Size">st_size, in bytes.</param>
/// <param name="IsReadable">Opened for reading; false with O_PATH.</param>
/// <param name="IsWritable">Opened for writing; false with O_PATH.</param>
public readonly record struct FileIdentity(ulong Device, ulong Inode, ulong Size, bool IsReadable, bool IsWritable)
{
    /// <summary>Looks at a file; false where the kernel says nothing of it. Allocates nothing.</summary>
    // Sound: the kernel fills a structure of this frame, which is as long as it expects.
    public static unsafe bool TryOf(FileDescriptor file, out FileIdentity identity)
    {
        Libc.Stat stat;
        int flags = Libc.GetFlags(file.Number);
        if (flags < 0 || Libc.FStat(file.Number, &stat) < 0)
        {
            identity = default;
            return false;
        }

        int access = (flags & Libc.O_PATH) != 0 ? Libc.O_ACCMODE : flags & Libc.O_ACCMODE;

        // MAJOR and MINOR of the kernel's encoding (include/linux/kdev_t.h, new_decode_dev).
        ulong major = (stat.Device & 0xfff00) >> 8;
        ulong minor = (stat.Device & 0xff) | ((stat.Device >> 12) & 0xfff00);
        identity = new FileIdentity((major << 32) | minor, stat.Inode, stat.Size, access is Libc.O_RDONLY or Libc.O_RDWR, access is 1 or Libc.O_RDWR);
        return true;
    }
}
