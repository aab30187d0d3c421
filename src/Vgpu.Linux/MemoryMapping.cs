using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>How a mapping may be used (mmap(2)).</summary>
[Flags]
public enum MemoryProtection
{
    /// <summary>No access.</summary>
    None = 0,

    /// <summary>PROT_READ.</summary>
    Read = 1,

    /// <summary>PROT_WRITE.</summary>
    Write = 2,

    /// <summary>Both.</summary>
    ReadWrite = Read | Write,
}

/// <summary>
/// A mapped range of a file or of anonymous memory. The owner unmaps it by disposing, and must know that nobody
/// uses the pointer any more: the map itself counts no users.
/// </summary>
public sealed unsafe class MemoryMapping : IDisposable
{
    private nint _address;

    private MemoryMapping(nint address, ulong length)
    {
        _address = address;
        Length = length;
    }

    /// <summary>The first byte. Valid until <see cref="Dispose"/>.</summary>
    public byte* Pointer => (byte*)_address;

    /// <summary>Bytes mapped.</summary>
    public ulong Length { get; }

    /// <summary>
    /// The whole mapping as a span; at most 2 GiB. Valid until <see cref="Dispose"/>; throws
    /// <see cref="ObjectDisposedException"/> after it.
    /// </summary>
    // Sound: the length is the mapping's own, and the caller holds the mapping.
    public Span<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_address == 0, this);
            return new(Pointer, checked((int)Length));
        }
    }

    /// <summary>
    /// Maps <paramref name="length"/> bytes of <paramref name="file"/> from <paramref name="offset"/>, shared. Both
    /// must be multiples of the file's page size. Throws <see cref="LinuxException"/>.
    /// </summary>
    public static MemoryMapping Share(FileDescriptor file, ulong offset, ulong length, MemoryProtection protection) =>
        Map(length, protection, Libc.MAP_SHARED, file.Number, offset);

    /// <summary>Anonymous zero-filled memory, reserved but not committed. Throws <see cref="LinuxException"/>.</summary>
    public static MemoryMapping Anonymous(ulong length) =>
        Map(length, MemoryProtection.ReadWrite, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS | Libc.MAP_NORESERVE, -1, 0);

    /// <summary>Unmaps it; calls after the first do nothing.</summary>
    public void Dispose()
    {
        nint address = Interlocked.Exchange(ref _address, 0);
        if (address != 0)
        {
            _ = Libc.MUnmap(address, (nuint)Length);
        }
    }

    private static MemoryMapping Map(ulong length, MemoryProtection protection, int flags, int fd, ulong offset)
    {
        nint address = Libc.MMap(0, (nuint)length, (int)protection, flags, fd, checked((long)offset));
        return address == -1 ? throw LinuxException.Last("mmap") : new MemoryMapping(address, length);
    }
}
