using Vgpu.Linux;

namespace Vgpu.Vfio.Iommu;

/// <summary>One entry of a guest's backing list.</summary>
public readonly record struct DmaEntry(ulong Iova, uint Length);

public sealed class DmaScatterList
{
    public DmaScatterList(Type2 iommu, ReadOnlySpan<DmaEntry> entries, IommuProtection protection) => throw new NotImplementedException();

    /// <summary>Bytes of all entries together.</summary>
    public ulong Length => throw new NotImplementedException();

    /// <summary>The resolved runs, coalesced; empty after a drop until <see cref="Resolve"/>.</summary>
    public IReadOnlyList<HostRun> Runs => throw new NotImplementedException();

    /// <summary>Resolves what is not resolved. EFAULT where an entry is not mapped now, EPERM where it may not be touched so.</summary>
    public Errno Resolve() => throw new NotImplementedException();

    /// <summary>Drops the runs that touch the range (all of them, to be resolved again at the next use). Device lock held.</summary>
    public void Drop(ulong iova, ulong length) => throw new NotImplementedException();

    /// <summary>Copies out of guest memory from <paramref name="offset"/> on; resolves first where needed.</summary>
    public Errno CopyTo(ulong offset, Span<byte> destination) => throw new NotImplementedException();

    /// <summary>Copies rows: row i comes from offset + i * guestStride and goes to destination + i * stride.</summary>
    public unsafe Errno CopyRowsTo(ulong offset, ulong guestStride, byte* destination, ulong stride, ulong rowLength, int rows) => throw new NotImplementedException();
}
