namespace Vgpu.Linux;

/// <summary>
/// Error numbers as they travel in vfio-user replies and come back from libc (asm-generic/errno.h and
/// errno-base.h). Zero is success.
/// </summary>
public enum Errno
{
    /// <summary>Success.</summary>
    None = 0,

    /// <summary>Operation not permitted.</summary>
    EPERM = 1,

    /// <summary>No such file, folder or entry.</summary>
    ENOENT = 2,

    /// <summary>No such process.</summary>
    ESRCH = 3,

    /// <summary>A signal interrupted the call.</summary>
    EINTR = 4,

    /// <summary>Input or output failed.</summary>
    EIO = 5,

    /// <summary>No such device or address.</summary>
    ENXIO = 6,

    /// <summary>A list is too long.</summary>
    E2BIG = 7,

    /// <summary>Not an open descriptor, or not open for this.</summary>
    EBADF = 9,

    /// <summary>Nothing now; try again later.</summary>
    EAGAIN = 11,

    /// <summary>Out of memory.</summary>
    ENOMEM = 12,

    /// <summary>Permission denied.</summary>
    EACCES = 13,

    /// <summary>An address that is not there.</summary>
    EFAULT = 14,

    /// <summary>In use.</summary>
    EBUSY = 16,

    /// <summary>It is there already.</summary>
    EEXIST = 17,

    /// <summary>No such device.</summary>
    ENODEV = 19,

    /// <summary>A part of the path is not a folder.</summary>
    ENOTDIR = 20,

    /// <summary>An argument that makes no sense.</summary>
    EINVAL = 22,

    /// <summary>The system has no descriptors left.</summary>
    ENFILE = 23,

    /// <summary>The process has no descriptors left.</summary>
    EMFILE = 24,

    /// <summary>The object does not know this operation.</summary>
    ENOTTY = 25,

    /// <summary>A file would become too large.</summary>
    EFBIG = 27,

    /// <summary>No space left.</summary>
    ENOSPC = 28,

    /// <summary>The object has no file offset.</summary>
    ESPIPE = 29,

    /// <summary>Nobody reads the other end any more.</summary>
    EPIPE = 32,

    /// <summary>The result does not fit.</summary>
    ERANGE = 34,

    /// <summary>Whoever waits would wait for itself.</summary>
    EDEADLK = 35,

    /// <summary>A path or its part is too long.</summary>
    ENAMETOOLONG = 36,

    /// <summary>The kernel does not have this call.</summary>
    ENOSYS = 38,

    /// <summary>A message that breaks the protocol.</summary>
    EPROTO = 71,

    /// <summary>A value is too large for its type.</summary>
    EOVERFLOW = 75,

    /// <summary>A message is too long.</summary>
    EMSGSIZE = 90,

    /// <summary>Not supported.</summary>
    ENOTSUP = 95,

    /// <summary>The address is taken.</summary>
    EADDRINUSE = 98,

    /// <summary>The connection was given up.</summary>
    ECONNABORTED = 103,

    /// <summary>The other side has closed the connection.</summary>
    ECONNRESET = 104,

    /// <summary>There is no room left in a buffer.</summary>
    ENOBUFS = 105,

    /// <summary>Not connected.</summary>
    ENOTCONN = 107,

    /// <summary>No answer in time.</summary>
    ETIMEDOUT = 110,

    /// <summary>Nobody listens there.</summary>
    ECONNREFUSED = 111,
}
