using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.Vfio.Iommu;
using static Vgpu.Vfio.Tests.Iommu.GuestMemory;

namespace Vgpu.Vfio.Tests.Iommu;

/// <summary>Which descriptors a client may share, and what becomes of them.</summary>
public sealed class Type2FileTests
{
    [Theory]
    [InlineData("/")]
    [InlineData("/dev/null")]
    [InlineData("/dev/zero")]
    [InlineData("/proc/self/exe")]
    public void What_is_not_memory(string path)
    {
        using var guest = new GuestMemory();
        Assert.Equal(Errno.EINVAL, guest.Iommu.Map(0, Page, R, FileDescriptor.OpenRead(path), 0));
        Assert.Equal((0, 0), (guest.Iommu.MapCount, guest.Iommu.MappedFileCount));
    }

    [Fact]
    public void Sockets_and_eventfds_are_not_memory()
    {
        using var guest = new GuestMemory();
        var (first, second) = UnixSocket.Pair();
        using (first)
        using (second)
        using (EventFd counter = EventFd.Create())
        {
            Assert.Equal(Errno.EINVAL, guest.Iommu.Map(0, Page, R, first.Descriptor.Duplicate(), 0));
            Assert.Equal(Errno.EINVAL, guest.Iommu.Map(0, Page, R, counter.Descriptor.Duplicate(), 0));
        }
    }

    [Fact]
    public void A_descriptor_opened_for_reading_maps_for_reading_only()
    {
        using var guest = new GuestMemory();
        string path = $"/proc/self/fd/{guest.File.Number}";
        Assert.Equal(Errno.EACCES, guest.Iommu.Map(0, Page, RW, FileDescriptor.OpenRead(path), 0));
        Assert.Equal(Errno.EACCES, guest.Iommu.Map(0, Page, W, FileDescriptor.OpenRead(path), 0));
        Assert.Equal(Errno.None, guest.Iommu.Map(0, Page, R, FileDescriptor.OpenRead(path), 0));
        Assert.Equal(Errno.EPERM, guest.Iommu.DmaRw(0, new byte[1], write: true));

        // The same file for writing beside it needs a mapping of its own.
        Assert.Equal(Errno.None, guest.Map(1, 1, 1));
        Assert.Equal(Errno.None, guest.Iommu.DmaRw(Page, new byte[] { 1 }, write: true));
        Assert.Equal(2, guest.Iommu.MappedFileCount);
    }

    [Fact]
    public void A_write_sealed_file_maps_for_reading_only()
    {
        using var guest = new GuestMemory(seals: Seals.None);
        Assert.True(MemFd.TryAddSeals(guest.File, Seals.F_SEAL_FUTURE_WRITE));
        Assert.Equal(Errno.EPERM, guest.Map(0, 1));
        Assert.Equal(Errno.None, guest.Map(0, 1, protection: R));
    }

    [Fact]
    public void A_closed_descriptor_is_answered()
    {
        using var guest = new GuestMemory();
        FileDescriptor file = guest.File.Duplicate();
        file.Dispose();
        Assert.Equal(Errno.EBADF, guest.Iommu.Map(0, Page, R, file, 0));
    }

    [Fact]
    public void A_memfd_is_sealed_against_shrinking()
    {
        using var guest = new GuestMemory(seals: Seals.None);
        Assert.Equal(Errno.None, guest.Map(0, 1));
        Assert.Equal(Seals.F_SEAL_SHRINK, MemFd.GetSeals(guest.File));
        Assert.Equal(Errno.EPERM, Assert.Throws<LinuxException>(() => guest.File.Truncate(0)).Errno);
    }

    [Fact]
    public void A_file_that_grew_is_mapped_again()
    {
        using var guest = new GuestMemory(pages: 2, seals: Seals.None);
        Assert.Equal(Errno.None, guest.Map(0, 2));
        Assert.Equal(Errno.EINVAL, guest.Map(4, 2, 2));
        guest.File.Truncate(8 * Page);
        Assert.Equal(Errno.None, guest.Map(4, 2, 2));
        Assert.Equal(2, guest.Iommu.MappedFileCount);
        Assert.Equal(Errno.None, guest.Iommu.DmaRw(4 * Page, new byte[] { 5 }, write: true));
        var read = new byte[1];
        Assert.Equal(Errno.None, guest.Iommu.DmaRw(0, read, write: false));
        Assert.Equal(0, read[0]);
        guest.Iommu.UnmapAll();
        Assert.Equal(0, guest.Iommu.MappedFileCount);
    }

    [Fact]
    public void A_file_too_large_to_map_whole_is_mapped_by_pieces()
    {
        using var guest = new GuestMemory();
        using FileDescriptor huge = MemFd.Create("huge", 1UL << 60);
        const ulong Offset = (1UL << 59) + Page;
        Assert.Equal(Errno.None, guest.Iommu.Map(0, 2 * Page, RW, huge.Duplicate(), Offset));
        Assert.Equal(Errno.None, guest.Iommu.Map(2 * Page, Page, RW, huge.Duplicate(), Offset + Page));
        Assert.Equal(Errno.None, guest.Iommu.DmaRw(Page, new byte[] { 6 }, write: true));
        var read = new byte[1];
        Assert.Equal(Errno.None, guest.Iommu.DmaRw(2 * Page, read, write: false));
        Assert.Equal(6, read[0]);
        Assert.Equal(Errno.ENOMEM, guest.Iommu.Map(1UL << 60, 1UL << 59, RW, huge.Duplicate(), 0));
        Assert.Equal(2, guest.Iommu.MapCount);
    }

    [Fact]
    public void Nothing_is_left_after_thousands_of_maps()
    {
        string name = $"churn-{Guid.NewGuid():N}";
        using var iommu = new Type2(Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        using FileDescriptor file = MemFd.Create(name, 64 * Page);
        for (int i = 0; i < 3000; i++)
        {
            ulong page = (ulong)i % 64;
            Assert.Equal(Errno.None, iommu.Map(page * Page, Page, RW, file.Duplicate(), page * Page));
            Assert.Equal(Errno.EEXIST, iommu.Map(page * Page, Page, RW, file.Duplicate(), page * Page));
            Assert.Equal(Errno.EINVAL, iommu.Map((page + 100) * Page, Page, RW, file.Duplicate(), 64 * Page));
            if (i % 2 == 1)
            {
                Assert.Equal(Errno.None, iommu.Unmap((page - 1) * Page, 2 * Page));
            }
        }

        Assert.Equal(0, iommu.MappedFileCount);
        iommu.UnmapAll();
        Assert.DoesNotContain(name, File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
        Assert.Equal(1, OwnDescriptors.Count(name));
    }

    [Fact]
    public void The_last_file_stays_for_a_moment_and_then_goes_by_itself()
    {
        string name = $"idle-{Guid.NewGuid():N}";
        using var iommu = new Type2(Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        using FileDescriptor file = MemFd.Create(name, 64 * Page);
        Assert.Equal(Errno.None, iommu.Map(0, Page, RW, file.Duplicate(), 0));
        Assert.Equal(Errno.None, iommu.Unmap(0, Page));
        Assert.Equal(0, iommu.MappedFileCount);
        Assert.Contains(name, File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
        Assert.Equal(Errno.None, iommu.Map(0, Page, RW, file.Duplicate(), 0));
        Assert.Equal(1, iommu.MappedFileCount);
        Assert.Equal(Errno.None, iommu.Unmap(0, Page));
        Assert.True(SpinWait.SpinUntil(() => !File.ReadAllText("/proc/self/maps").Contains(name, StringComparison.Ordinal), 20_000));
    }

    [Fact]
    public void Another_file_takes_the_place_of_the_last_one()
    {
        string name = $"idle-{Guid.NewGuid():N}";
        using var iommu = new Type2(Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        using FileDescriptor file = MemFd.Create(name, Page);
        using FileDescriptor other = MemFd.Create("other", Page);
        Assert.Equal(Errno.None, iommu.Map(0, Page, RW, file.Duplicate(), 0));
        Assert.Equal(Errno.None, iommu.Unmap(0, Page));
        Assert.Equal(Errno.None, iommu.Map(0, Page, RW, other.Duplicate(), 0));
        Assert.DoesNotContain(name, File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
        Assert.Equal(1, iommu.MappedFileCount);
    }

    [Fact]
    public void A_reason_is_told_once()
    {
        var log = new ListLogger();
        using var iommu = new Type2(log);
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(Errno.EINVAL, iommu.Map(0, Page, R, FileDescriptor.OpenRead("/dev/null"), 0));
        }

        Assert.Contains("tmpfs", Assert.Single(log.Lines), StringComparison.Ordinal);
    }
}
