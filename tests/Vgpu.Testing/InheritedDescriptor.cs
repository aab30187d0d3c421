using Vgpu.Linux;
using Vgpu.Linux.Interop;

namespace Vgpu.Testing;

/// <summary>A second descriptor of an open file that programs started meanwhile inherit, as a service manager's do.</summary>
public static class InheritedDescriptor
{
    private const int F_DUPFD = 0;

    // Above those that a shell gives numbers to.
    private const int Lowest = 20;

    public static FileDescriptor Of(FileDescriptor file)
    {
        int fd = Libc.Fcntl(file.Number, F_DUPFD, Lowest);
        return fd < 0 ? throw LinuxException.Last("fcntl") : new FileDescriptor(fd);
    }
}
