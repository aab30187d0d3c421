using Vgpu.Linux;

namespace Vgpu.Vfio.Iommu;

/// <summary>
/// Checks the files that a client shares and maps them (see <see cref="MemoryFile"/>). A client may do to its file what
/// it likes: what is mapped is sealed against shrinking, or its SIGBUS is caught. Thread-safe by a lock of its own, so
/// that no lookup of the domain waits for mmap.
/// </summary>
internal sealed class MemoryFileCache
{
    // Larger files are mapped piece by piece, and all together never fill the address space.
    private const ulong MaxWholeFile = 1UL << 40;
    private const ulong MaxMapped = 1UL << 45;

    // Far below vm.max_map_count, which is all that the process has, its runtime and other domains included.
    private const int MaxFiles = 8192;

    private readonly Lock _lock = new();
    private readonly Dictionary<MemoryFileKey, MemoryFile> _files = [];
    private ulong _mapped;

    /// <summary>Mappings alive.</summary>
    internal int Count { get; private set; }

    /// <summary>
    /// Finds or maps [<paramref name="offset"/>, offset + <paramref name="size"/>) of a file. EINVAL: not memory (a
    /// regular file on tmpfs or hugetlbfs), or the range is not within it; EACCES: not opened as the protection needs;
    /// ENOTSUP: it can't be kept from shrinking here; ENOSPC: too many files; else what mmap said.
    /// </summary>
    internal Errno Acquire(FileDescriptor file, ulong offset, ulong size, IommuProtection protection, out MemoryFile? memory)
    {
        memory = null;
        bool writable = (protection & IommuProtection.IOMMU_WRITE) != 0;
        try
        {
            FileFacts facts = file.Inspect();
            if (facts.IsPathOnly || !facts.IsRegularFile || !facts.IsMemory || size > facts.Size || offset > facts.Size - size)
            {
                return Errno.EINVAL;
            }

            if (!facts.IsReadable || (writable && !facts.IsWritable))
            {
                return Errno.EACCES;
            }

            lock (_lock)
            {
                var key = new MemoryFileKey(facts.Identity.Device, facts.Identity.Inode, Writable: true);
                if ((!_files.TryGetValue(key, out memory) || !memory.Covers(offset, size)) && !writable)
                {
                    key = key with { Writable = false };
                    _files.TryGetValue(key, out memory);
                }

                if (memory is null || !memory.Covers(offset, size))
                {
                    memory = Open(file, facts, offset, size, key);
                }

                memory.Users++;
                return Errno.None;
            }
        }
        catch (LinuxException e)
        {
            memory = null;
            return e.Errno;
        }
    }

    /// <summary>Gives one use back; with the last one the file is unmapped.</summary>
    internal void Release(MemoryFile memory)
    {
        lock (_lock)
        {
            if (--memory.Users > 0)
            {
                return;
            }

            if (memory.Key is { } key && _files.TryGetValue(key, out MemoryFile? current) && ReferenceEquals(current, memory))
            {
                _files.Remove(key);
            }

            memory.Unmap();
            _mapped -= memory.Length;
            Count--;
        }
    }

    private MemoryFile Open(FileDescriptor file, in FileFacts facts, ulong offset, ulong size, MemoryFileKey key)
    {
        if (Count >= MaxFiles)
        {
            throw new LinuxException("mmap", Errno.ENOSPC);
        }

        // A sealed memfd can't lose pages under us. A huge page can be missing all the same, when the pool is empty.
        bool sealedSize = (MemFd.GetSeals(file) & Seals.F_SEAL_SHRINK) != 0 || MemFd.TryAddSeals(file, Seals.F_SEAL_SHRINK);
        bool guarded = !sealedSize || facts.IsHugeTlb;
        if (guarded && !SigBusGuard.IsAvailable)
        {
            if (!sealedSize)
            {
                throw new LinuxException("fcntl(F_ADD_SEALS)", Errno.ENOTSUP);
            }

            guarded = false;
        }

        MemoryProtection protection = key.Writable ? MemoryProtection.ReadWrite : MemoryProtection.Read;
        ulong mask = facts.PageSize - 1;
        ulong whole = (facts.Size + mask) & ~mask;
        if (facts.Size <= MaxWholeFile && whole <= MaxMapped - _mapped)
        {
            try
            {
                MemoryFile shared = Guard(MemoryMapping.Share(file, 0, whole, protection), 0, key, guarded, facts.PageSize);
                _files[key] = shared;
                return shared;
            }
            catch (LinuxException e) when (e.Errno == Errno.ENOMEM)
            {
                // Too much at once: only what was asked for.
            }
        }

        ulong start = offset & ~mask;
        ulong length = ((offset + size + mask) & ~mask) - start;
        return length > MaxMapped - _mapped
            ? throw new LinuxException("mmap", Errno.ENOMEM)
            : Guard(MemoryMapping.Share(file, start, length, protection), start, null, guarded, facts.PageSize);
    }

    private MemoryFile Guard(MemoryMapping mapping, ulong offset, MemoryFileKey? key, bool guarded, ulong pageSize)
    {
        int guard = -1;
        if (guarded)
        {
            try
            {
                guard = SigBusGuard.Register(mapping, pageSize);
            }
            catch
            {
                mapping.Dispose();
                throw;
            }
        }

        _mapped += mapping.Length;
        Count++;
        return new MemoryFile(mapping, offset, key, guard);
    }
}
