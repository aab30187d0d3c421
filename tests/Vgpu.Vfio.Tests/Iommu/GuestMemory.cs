using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Linux;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Vfio.Tests.Iommu;

/// <summary>A client's memory file with the client's own view of it, and a domain with bus mastering on.</summary>
internal sealed class GuestMemory : IDisposable
{
    internal const ulong Page = Type2.PageSize;
    internal const IommuProtection R = IommuProtection.IOMMU_READ;
    internal const IommuProtection W = IommuProtection.IOMMU_WRITE;
    internal const IommuProtection RW = R | W;

    internal GuestMemory(ulong pages = 64, int maxMaps = 65_535, Seals seals = Seals.F_SEAL_SHRINK | Seals.F_SEAL_GROW)
    {
        Iommu = new Type2(NullLogger.Instance, maxMaps) { BusMaster = true };
        File = MemFd.Create("guest", pages * Page, seals);
        View = MemoryMapping.Share(File, 0, pages * Page, MemoryProtection.ReadWrite);
    }

    internal Type2 Iommu { get; }

    internal FileDescriptor File { get; }

    internal MemoryMapping View { get; }

    /// <summary>Maps pages of the file, counted in pages.</summary>
    internal Errno Map(ulong iovaPage, ulong pages, ulong filePage = 0, IommuProtection protection = RW) =>
        Iommu.Map(iovaPage * Page, pages * Page, protection, File.Duplicate(), filePage * Page);

    /// <summary>Fills the file so that each 4-byte word tells where it is.</summary>
    internal void Number()
    {
        Span<uint> words = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, uint>(View.Span);
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = (uint)i * 2_654_435_761;
        }
    }

    public void Dispose()
    {
        Iommu.Dispose();
        View.Dispose();
        File.Dispose();
    }
}
