using System.Runtime.InteropServices;
using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>
/// An owned file descriptor, close-on-exec. Disposing closes it once, from any thread; use from several threads is
/// safe in the way of <see cref="SafeHandle"/>.
/// </summary>
public sealed class FileDescriptor : SafeHandle
{
    /// <summary>Takes ownership of <paramref name="fd"/>.</summary>
    public FileDescriptor(int fd)
        : base(-1, ownsHandle: true) => SetHandle(fd);

    /// <inheritdoc/>
    public override bool IsInvalid => handle < 0;

    /// <summary>The number, for a call that does not outlive this object.</summary>
    public int Number => (int)handle;

    /// <summary>A second descriptor of the same open file. Throws <see cref="LinuxException"/>.</summary>
    public FileDescriptor Duplicate()
    {
        int fd = Libc.Fcntl(Number, Libc.F_DUPFD_CLOEXEC, 0);
        return fd < 0 ? throw LinuxException.Last("fcntl") : new FileDescriptor(fd);
    }

    /// <summary>
    /// A second descriptor of the same open file, with a number of 20 or more, that is not close-on-exec: every program that is
    /// started while it is open inherits it. Throws <see cref="LinuxException"/>.
    /// </summary>
    public FileDescriptor DuplicateForPrograms()
    {
        // Those below are what shells and service managers give numbers to.
        const int Lowest = 20;
        int fd = Libc.Fcntl(Number, Libc.F_DUPFD, Lowest);
        return fd < 0 ? throw LinuxException.Last("fcntl") : new FileDescriptor(fd);
    }

    /// <summary>Opens a file for reading. Throws <see cref="LinuxException"/>.</summary>
    public static FileDescriptor OpenRead(string path)
    {
        int fd = Libc.Open(path, Libc.O_RDONLY | Libc.O_CLOEXEC, 0);
        return fd < 0 ? throw LinuxException.Last("open", path) : new FileDescriptor(fd);
    }

    /// <summary>Opens a file for reading and writing. Throws <see cref="LinuxException"/>.</summary>
    public static FileDescriptor OpenReadWrite(string path)
    {
        int fd = Libc.Open(path, Libc.O_RDWR | Libc.O_CLOEXEC, 0);
        return fd < 0 ? throw LinuxException.Last("open", path) : new FileDescriptor(fd);
    }

    /// <summary>What kind of file this is, how large, and how it was opened. Throws <see cref="LinuxException"/>.</summary>
    public FileFacts Inspect() => FileFacts.Of(this);

    /// <summary>Grows or shrinks the file to <paramref name="length"/> bytes. Throws <see cref="LinuxException"/>.</summary>
    public void Truncate(ulong length)
    {
        if (Libc.FTruncate(Number, checked((long)length)) < 0)
        {
            throw LinuxException.Last("ftruncate");
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Libc.Close((int)handle) == 0;
}
