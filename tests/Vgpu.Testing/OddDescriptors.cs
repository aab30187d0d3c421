using System.Globalization;
using System.IO.Pipes;
using Vgpu.Linux;
using Vgpu.Linux.Interop;

namespace Vgpu.Testing;

/// <summary>One descriptor of each <see cref="DescriptorKind"/>, opened when it is first asked for.</summary>
public sealed class OddDescriptors : IDisposable
{
    /// <summary>Bytes of <see cref="DescriptorKind.Memory"/>.</summary>
    public const int MemorySize = 1 << 16;

    private const int O_WRONLY = 1;

    private readonly Dictionary<DescriptorKind, FileDescriptor> _open = [];
    private readonly List<IDisposable> _others = [];

    /// <summary>Every kind that needs no connection.</summary>
    public static IReadOnlyList<DescriptorKind> Kinds { get; } = [.. Enum.GetValues<DescriptorKind>().Where(k => k != DescriptorKind.Own)];

    /// <summary>Stays this object's.</summary>
    public FileDescriptor this[DescriptorKind kind]
    {
        get
        {
            if (!_open.TryGetValue(kind, out FileDescriptor? descriptor))
            {
                _open[kind] = descriptor = Open(kind);
            }

            return descriptor;
        }
    }

    public void Dispose()
    {
        foreach (FileDescriptor descriptor in _open.Values)
        {
            descriptor.Dispose();
        }

        _others.ForEach(other => other.Dispose());
    }

    private FileDescriptor Open(DescriptorKind kind) => kind switch
    {
        DescriptorKind.Memory => MemFd.Create("odd", MemorySize),
        DescriptorKind.ShortMemory => MemFd.Create("odd", 4096),
        DescriptorKind.EmptyMemory => MemFd.Create("odd", 0),
        DescriptorKind.UnsealedMemory => MemFd.Create("odd", MemorySize, Seals.None),
        DescriptorKind.ReadOnlyMemory => Reopen(Libc.O_RDONLY),
        DescriptorKind.WriteOnlyMemory => Reopen(O_WRONLY),
        DescriptorKind.PathOnly => Reopen(Libc.O_PATH),
        DescriptorKind.NamedLikeEventfd => MemFd.Create("anon_inode:[eventfd]", 4096),
        DescriptorKind.Disk => FileDescriptor.OpenRead("/proc/self/exe"),
        DescriptorKind.Directory => FileDescriptor.OpenRead("/"),
        DescriptorKind.PipeReader => OpenPipe(PipeDirection.In),
        DescriptorKind.PipeWriter => OpenPipe(PipeDirection.Out),
        DescriptorKind.Socket => OpenSocket(),
        DescriptorKind.Null => FileDescriptor.OpenReadWrite("/dev/null"),
        DescriptorKind.Zero => FileDescriptor.OpenReadWrite("/dev/zero"),
        DescriptorKind.Eventfd => Keep(EventFd.Create()).Descriptor.Duplicate(),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private FileDescriptor Reopen(int flags)
    {
        string path = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{this[DescriptorKind.Memory].Number}");
        var descriptor = new FileDescriptor(Libc.Open(path, flags | Libc.O_CLOEXEC, 0));
        return descriptor.IsInvalid ? throw LinuxException.Last("open", path) : descriptor;
    }

    private FileDescriptor OpenPipe(PipeDirection direction)
    {
        AnonymousPipeServerStream pipe = Keep(new AnonymousPipeServerStream(direction));
        using var borrowed = new BorrowedDescriptor((int)pipe.SafePipeHandle.DangerousGetHandle());
        return borrowed.Descriptor.Duplicate();
    }

    private FileDescriptor OpenSocket()
    {
        var (near, far) = UnixSocket.Pair();
        Keep(far);
        return Keep(near).Descriptor.Duplicate();
    }

    private T Keep<T>(T other)
        where T : IDisposable
    {
        _others.Add(other);
        return other;
    }

    // A number that somebody else closes.
    private sealed class BorrowedDescriptor(int number) : IDisposable
    {
        internal FileDescriptor Descriptor { get; } = new(number);

        public void Dispose() => Descriptor.SetHandleAsInvalid();
    }
}
