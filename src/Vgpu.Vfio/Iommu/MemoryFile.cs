using Vgpu.Linux;

namespace Vgpu.Vfio.Iommu;

/// <summary>
/// A client's memory file as this process sees it, shared by all maps of a domain that lie in it, and unmapped with the
/// last of them. The whole file is mapped once where that is possible: firmware maps and unmaps the same pieces again
/// and again, two maps of adjacent pieces are adjacent here too, and the process stays far from vm.max_map_count.
/// </summary>
internal sealed unsafe class MemoryFile
{
    private readonly MemoryMapping _mapping;
    private readonly ulong _offset;
    private readonly int _guard;
    private readonly long _faultsBefore;

    internal MemoryFile(MemoryMapping mapping, ulong offset, MemoryFileKey? key, int guard)
    {
        _mapping = mapping;
        _offset = offset;
        _guard = guard;
        _faultsBefore = guard < 0 ? 0 : SigBusGuard.FaultCount;
        Key = key;
    }

    /// <summary>Under which name others find it; null: it holds one piece and is not shared.</summary>
    internal MemoryFileKey? Key { get; }

    /// <summary>Maps that use it. The cache's lock held.</summary>
    internal int Users { get; set; }

    internal ulong Length => _mapping.Length;

    /// <summary>
    /// It is as good the next time: no page of it can have gone from under it. One that goes is a page of zeros from then on,
    /// until the file is unmapped.
    /// </summary>
    internal bool IsLasting => _guard < 0 || SigBusGuard.FaultCount == _faultsBefore;

    internal bool Covers(ulong offset, ulong size) =>
        offset >= _offset && offset - _offset <= _mapping.Length && size <= _mapping.Length - (offset - _offset);

    // Sound: only an address is made; Covers was asked for the range behind it.
    internal nint AddressOf(ulong offset) => (nint)_mapping.Pointer + (nint)(offset - _offset);

    internal void Unmap()
    {
        // First the guard, then the range: the kernel may hand the addresses to somebody else at once.
        if (_guard >= 0)
        {
            SigBusGuard.Unregister(_guard);
        }

        _mapping.Dispose();
    }
}

/// <summary>The same file mapped with the same access.</summary>
internal readonly record struct MemoryFileKey(ulong Device, ulong Inode, bool Writable);
