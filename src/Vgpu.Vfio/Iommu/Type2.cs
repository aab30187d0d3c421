using Microsoft.Extensions.Logging;
using Vgpu.Linux;

namespace Vgpu.Vfio.Iommu;

public sealed class Type2 : IDisposable
{
    public const ulong PageSize = 4096;
    public const int MaxPinnedPages = 512;
    public Type2(ILogger logger, int maxMaps = 65_535) => throw new NotImplementedException();
    public bool BusMaster { get; set; }
    public int MapCount => throw new NotImplementedException();
    public void Attach(VfioDevice device) => throw new NotImplementedException();
    public void Detach(VfioDevice device) => throw new NotImplementedException();
    public Errno Map(ulong iova, ulong size, IommuProtection protection, FileDescriptor? file, ulong fileOffset) => throw new NotImplementedException();
    public Errno Unmap(ulong iova, ulong size) => throw new NotImplementedException();
    public void UnmapAll() => throw new NotImplementedException();
    public Errno PinPages(ulong iova, int pageCount, IommuProtection protection, Span<nint> pages) => throw new NotImplementedException();
    public void UnpinPages(ulong iova, int pageCount) => throw new NotImplementedException();
    public Errno DmaRw(ulong iova, Span<byte> data, bool write) => throw new NotImplementedException();
    public Errno Resolve(ulong iova, ulong length, IommuProtection protection, List<HostRun> runs) => throw new NotImplementedException();
    public Errno TryGetRun(ulong iova, ulong length, IommuProtection protection, out HostRun run) => throw new NotImplementedException();
    public Errno StartDirtyTracking(ulong iova, ulong length, ulong pageSize) => throw new NotImplementedException();
    public void StopDirtyTracking() => throw new NotImplementedException();
    public Errno ReadDirty(ulong iova, ulong length, ulong pageSize, Span<byte> bitmap) => throw new NotImplementedException();
    public void Dispose() => throw new NotImplementedException();
}
