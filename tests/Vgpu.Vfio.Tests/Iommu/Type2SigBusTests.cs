using Vgpu.Linux;
using Vgpu.Vfio.Iommu;
using static Vgpu.Vfio.Tests.Iommu.GuestMemory;

namespace Vgpu.Vfio.Tests.Iommu;

/// <summary>A client that shrinks the memory it shared, where nothing can be sealed against it.</summary>
public sealed class Type2SigBusTests
{
    [Fact]
    public void A_memfd_sealed_against_seals_loses_its_pages()
    {
        Assert.SkipUnless(SigBusGuard.IsAvailable, "no SIGBUS guard here");
        using var guest = new GuestMemory(pages: 256, seals: Seals.F_SEAL_SEAL);
        Survive(guest.Iommu, guest.File, 256);
    }

    [Fact]
    public void A_file_in_dev_shm_loses_its_pages()
    {
        Assert.SkipUnless(SigBusGuard.IsAvailable, "no SIGBUS guard here");
        string path = $"/dev/shm/vgpu-{Guid.NewGuid():N}";
        try
        {
            File.WriteAllBytes(path, new byte[256 * 4096]);
            using FileDescriptor file = FileDescriptor.OpenReadWrite(path);
            using var guest = new GuestMemory();
            Survive(guest.Iommu, file, 256);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static void Survive(Type2 iommu, FileDescriptor file, ulong pages)
    {
        int ranges = SigBusGuard.RangeCount;
        Assert.Equal(Errno.None, iommu.Map(0, pages * Page, RW, file.Duplicate(), 0));
        Assert.Equal(ranges + 1, SigBusGuard.RangeCount);
        var list = new DmaScatterList(iommu, [new DmaEntry(0, (uint)(pages * Page))], RW);
        var data = new byte[pages * Page];
        Array.Fill(data, (byte)7);
        Assert.Equal(Errno.None, iommu.DmaRw(0, data, write: true));
        Assert.Equal(Errno.None, list.Resolve());
        long before = SigBusGuard.FaultCount;

        file.Truncate(0);

        // Half by a copy of the list, half by DmaRw; zeros, and each page faults once.
        Assert.Equal(Errno.None, list.CopyTo(0, data.AsSpan(0, data.Length / 2)));
        Assert.Equal(Errno.None, iommu.DmaRw(pages * Page / 2, data.AsSpan(data.Length / 2), write: false));
        Assert.Equal(-1, data.AsSpan().IndexOfAnyExcept((byte)0));
        Assert.Equal((long)pages, SigBusGuard.FaultCount - before);
        Assert.Equal(Errno.None, iommu.DmaRw(0, data, write: true));
        Assert.Equal(Errno.EINVAL, iommu.Map(pages * Page, Page, RW, file.Duplicate(), 0));

        Assert.Equal(Errno.None, iommu.Unmap(0, pages * Page));
        Assert.Equal(ranges, SigBusGuard.RangeCount);
    }
}
