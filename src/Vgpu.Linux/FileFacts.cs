using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>
/// What a received descriptor refers to: statx(2), fstatfs(2) and F_GETFL together, taken once so that a check
/// and its use see the same answer.
/// </summary>
public readonly record struct FileFacts
{
    private const ushort S_IFMT = 0xf000;
    private const ushort S_IFREG = 0x8000;
    private const long TMPFS_MAGIC = 0x01021994;
    private const long HUGETLBFS_MAGIC = 0x958458f6;

    /// <summary>A file, not a folder, device, socket or pipe.</summary>
    public required bool IsRegularFile { get; init; }

    /// <summary>On tmpfs or hugetlbfs: memory, not a disk.</summary>
    public required bool IsMemory { get; init; }

    /// <summary>On hugetlbfs.</summary>
    public required bool IsHugeTlb { get; init; }

    /// <summary>Opened for reading.</summary>
    public required bool IsReadable { get; init; }

    /// <summary>Opened for writing.</summary>
    public required bool IsWritable { get; init; }

    /// <summary>Opened with O_PATH: names a file and can't be read, written or mapped.</summary>
    public required bool IsPathOnly { get; init; }

    /// <summary>st_size, in bytes.</summary>
    public required ulong Size { get; init; }

    /// <summary>
    /// st_blocks in bytes: what the file occupies. 0 of a large guest memory in use says that the client mapped it
    /// privately, and that nothing it writes will ever be seen here.
    /// </summary>
    public ulong AllocatedBytes { get; init; }

    /// <summary>The size of a page of this file in bytes: the huge page's on hugetlbfs.</summary>
    public required ulong PageSize { get; init; }

    /// <summary>Device and inode: the same file has the same pair.</summary>
    public required (ulong Device, ulong Inode) Identity { get; init; }

    // Sound: the kernel fills structures of this frame, each as long as it expects.
    internal static unsafe FileFacts Of(FileDescriptor fd)
    {
        Libc.Statx stat;
        Libc.Statfs fs;
        if (Libc.StatxAt(fd.Number, string.Empty, Libc.AT_EMPTY_PATH, Libc.STATX_BASIC_STATS, &stat) < 0)
        {
            throw LinuxException.Last("statx");
        }

        if (Libc.FStatfs(fd.Number, &fs) < 0)
        {
            throw LinuxException.Last("fstatfs");
        }

        int flags = Libc.Fcntl(fd.Number, Libc.F_GETFL, 0);
        if (flags < 0)
        {
            throw LinuxException.Last("fcntl");
        }

        bool huge = fs.Type == HUGETLBFS_MAGIC;
        int access = flags & Libc.O_ACCMODE;
        bool pathOnly = (flags & Libc.O_PATH) != 0;
        return new FileFacts
        {
            IsRegularFile = (stat.Mode & S_IFMT) == S_IFREG,
            IsMemory = huge || fs.Type == TMPFS_MAGIC,
            IsHugeTlb = huge,
            IsReadable = !pathOnly && access != 1,
            IsWritable = !pathOnly && access != Libc.O_RDONLY,
            IsPathOnly = pathOnly,
            Size = stat.Size,
            AllocatedBytes = stat.Blocks * 512,
            PageSize = huge ? (ulong)fs.BlockSize : (ulong)Environment.SystemPageSize,
            Identity = (((ulong)stat.DeviceMajor << 32) | stat.DeviceMinor, stat.Inode),
        };
    }
}
