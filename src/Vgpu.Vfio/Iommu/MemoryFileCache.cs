using Vgpu.Linux;

namespace Vgpu.Vfio.Iommu;

/// <summary>
/// Checks the files that a client shares and maps them (see <see cref="MemoryFile"/>). A client may do to its file what
/// it likes: what is mapped is sealed against shrinking, or its SIGBUS is caught. Thread-safe by a lock of its own, so
/// that no lookup of the domain waits for mmap.
/// </summary>
/// <remarks>
/// The file that lost its last map most recently stays mapped for <see cref="IdleMilliseconds"/>, if it has all its pages,
/// in case it is mapped again, as firmware does. No address of it is known to anybody meanwhile.
/// </remarks>
internal sealed class MemoryFileCache : IDisposable
{
    internal const int IdleMilliseconds = 1000;

    // Larger files are mapped piece by piece, and all together never fill the address space.
    private const ulong MaxWholeFile = 1UL << 40;
    private const ulong MaxMapped = 1UL << 45;

    // Far below vm.max_map_count, which is all that the process has, its runtime and other domains included.
    private const int MaxFiles = 8192;

    private readonly Lock _lock = new();
    private readonly Dictionary<MemoryFileKey, MemoryFile> _files = [];
    private readonly Timer _timer;
    private MemoryFile? _idle;
    private long _idleSince;
    private bool _timerRuns;
    private bool _disposed;
    private ulong _mapped;
    private int _count;

    internal MemoryFileCache() => _timer = new Timer(static cache => ((MemoryFileCache)cache!).ReleaseStale(), this, Timeout.Infinite, Timeout.Infinite);

    /// <summary>Mappings that maps use.</summary>
    internal int Count
    {
        get
        {
            lock (_lock)
            {
                return _count - (_idle is null ? 0 : 1);
            }
        }
    }

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
            if (TryAgain(file, offset, size, writable, out memory))
            {
                return Errno.None;
            }

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
                memory = Find(facts.Identity, offset, size, writable)
                    ?? Open(file, facts, offset, size, new MemoryFileKey(facts.Identity.Device, facts.Identity.Inode, writable));
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

    /// <summary>Gives one use back; with the last one the file is unmapped, or becomes the idle one.</summary>
    internal void Release(MemoryFile memory)
    {
        lock (_lock)
        {
            if (--memory.Users > 0)
            {
                return;
            }

            if (_disposed || !memory.IsLasting || memory.Key is not { } key || !_files.TryGetValue(key, out MemoryFile? current) || !ReferenceEquals(current, memory))
            {
                Unmap(memory);
                return;
            }

            DropIdle();
            _idle = memory;
            _idleSince = Environment.TickCount64;
            if (!_timerRuns)
            {
                _timerRuns = _timer.Change(IdleMilliseconds, Timeout.Infinite);
            }
        }
    }

    /// <summary>Unmaps the idle file now.</summary>
    internal void ReleaseIdle()
    {
        lock (_lock)
        {
            DropIdle();
        }
    }

    /// <summary>Unmaps the idle file, and starts no timer more.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            DropIdle();
        }

        _timer.Dispose();
    }

    private void ReleaseStale()
    {
        lock (_lock)
        {
            long left = IdleMilliseconds - (Environment.TickCount64 - _idleSince);
            if (_idle is not null && left > 0)
            {
                _ = _timer.Change(left, Timeout.Infinite);
                return;
            }

            _timerRuns = false;
            DropIdle();
        }
    }

    private void DropIdle()
    {
        if (_idle is { } idle)
        {
            _idle = null;
            Unmap(idle);
        }
    }

    private void Unmap(MemoryFile memory)
    {
        if (memory.Key is { } key && _files.TryGetValue(key, out MemoryFile? current) && ReferenceEquals(current, memory))
        {
            _files.Remove(key);
        }

        memory.Unmap();
        _mapped -= memory.Length;
        _count--;
    }

    // A file that is mapped has been looked at: it is what it was, and only its size and how it was opened can differ.
    private bool TryAgain(FileDescriptor file, ulong offset, ulong size, bool writable, out MemoryFile? memory)
    {
        memory = null;
        if (!FileIdentity.TryOf(file, out FileIdentity seen)
            || !seen.IsReadable || (writable && !seen.IsWritable) || size > seen.Size || offset > seen.Size - size)
        {
            return false;
        }

        lock (_lock)
        {
            memory = Find((seen.Device, seen.Inode), offset, size, writable);
            if (memory is null)
            {
                return false;
            }

            memory.Users++;
            return true;
        }
    }

    // One that is mapped for writing serves those who only read as well.
    private MemoryFile? Find((ulong Device, ulong Inode) file, ulong offset, ulong size, bool writable)
    {
        var key = new MemoryFileKey(file.Device, file.Inode, Writable: true);
        if ((!_files.TryGetValue(key, out MemoryFile? memory) || !memory.Covers(offset, size))
            && (writable || !_files.TryGetValue(key with { Writable = false }, out memory) || !memory.Covers(offset, size)))
        {
            return null;
        }

        if (ReferenceEquals(memory, _idle))
        {
            _idle = null;
        }

        return memory;
    }

    private MemoryFile Open(FileDescriptor file, in FileFacts facts, ulong offset, ulong size, MemoryFileKey key)
    {
        DropIdle();
        if (_count >= MaxFiles)
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
        _count++;
        return new MemoryFile(mapping, offset, key, guard);
    }
}
