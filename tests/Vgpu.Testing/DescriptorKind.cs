namespace Vgpu.Testing;

/// <summary>A kind of file that a peer may send in place of the one that belongs there.</summary>
public enum DescriptorKind
{
    /// <summary>A memory file of 64 KiB that can't shrink: what a VMM sends.</summary>
    Memory,

    /// <summary>A memory file of one page.</summary>
    ShortMemory,

    /// <summary>A memory file of no byte.</summary>
    EmptyMemory,

    /// <summary>A memory file whose size may change.</summary>
    UnsealedMemory,

    /// <summary><see cref="Memory"/>, opened for reading alone.</summary>
    ReadOnlyMemory,

    /// <summary><see cref="Memory"/>, opened for writing alone.</summary>
    WriteOnlyMemory,

    /// <summary><see cref="Memory"/>, opened with O_PATH.</summary>
    PathOnly,

    /// <summary>A memory file that has an eventfd's name.</summary>
    NamedLikeEventfd,

    /// <summary>A file on a disk or in /proc.</summary>
    Disk,

    Directory,
    PipeReader,
    PipeWriter,

    /// <summary>A Unix socket of nobody's.</summary>
    Socket,

    /// <summary>/dev/null.</summary>
    Null,

    /// <summary>/dev/zero.</summary>
    Zero,
    Eventfd,

    /// <summary>The sender's own end of the very connection that it is sent over.</summary>
    Own,
}
