using Vgpu.Linux;
using Vgpu.Vfio.Iommu;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Tests;

// Which pages the device wrote to, as a client hears of them.
public sealed class DirtyTests : IDisposable
{
    private const IommuProtection ReadWrite = IommuProtection.IOMMU_READ | IommuProtection.IOMMU_WRITE;
    private const ulong Page = 4096;

    private readonly ServedDevice _served = new();
    private readonly VfioUserClient _client;
    private readonly FileDescriptor _memory = MemFd.Create("ram", 256 * Page);

    public DirtyTests()
    {
        _client = _served.Negotiated();
        _served.Device.Iommu.BusMaster = true;
        _client.DmaMap(0, 256 * Page, ReadWrite, _memory);
    }

    public void Dispose()
    {
        _client.Dispose();
        _served.Dispose();
        _memory.Dispose();
    }

    [Fact]
    public void A_report_has_a_bit_for_each_page_that_was_written_to_and_forgets_it()
    {
        Assert.Equal(Page, _client.StartDmaLogging(Page, new DmaLoggingRange { Iova = 0, Size = 256 * Page }));
        Write(3 * Page);
        Write((65 * Page) + 4095, 2);

        byte[] expected = new byte[32];
        expected[0] = 1 << 3;
        expected[8] = 0b110;
        Assert.Equal(expected, _client.ReportDmaLogging(0, 256 * Page, Page));
        Assert.Equal(new byte[32], _client.ReportDmaLogging(0, 256 * Page, Page));
    }

    [Theory]
    [InlineData(512, 8)]
    [InlineData(1, 4096)]
    [InlineData(2048, 2)]
    public void A_report_of_smaller_pages_repeats_the_bit(int pageSize, int bits)
    {
        _ = _client.StartDmaLogging(Page);
        Write(Page);
        byte[] report = _client.ReportDmaLogging(0, 4 * Page, (ulong)pageSize);
        int[] set = [.. Enumerable.Range(0, report.Length * 8).Where(n => (report[n / 8] & (1 << (n % 8))) != 0)];
        Assert.Equal(Enumerable.Range(bits, bits), set);
    }

    [Theory]
    [InlineData(0, 4096)]
    [InlineData(1, 4096)]
    [InlineData(5000, 8192)]
    [InlineData(65536, 65536)]
    public void The_page_size_that_is_taken_is_said(ulong hint, ulong taken) =>
        Assert.Equal(taken, _client.StartDmaLogging(hint));

    [Fact]
    public void Without_ranges_memory_that_is_mapped_later_is_tracked_wherever_it_is()
    {
        _ = _client.StartDmaLogging(Page);
        _client.DmaMap(ulong.MaxValue - (2 * Page) + 1, 2 * Page, ReadWrite, _memory);
        Write(ulong.MaxValue - 7, 8);
        Assert.Equal([0b10, 0, 0, 0, 0, 0, 0, 0], _client.ReportDmaLogging(ulong.MaxValue - (2 * Page) + 1, 2 * Page, Page));
    }

    [Fact]
    public void A_report_on_far_more_than_was_written_to_is_answered_in_time()
    {
        // 8 GiB of bits, of which a client hears in one reply: QEMU waits five seconds for any.
        _ = _client.StartDmaLogging(Page);
        Write(77 * Page);
        byte[] expected = new byte[8];
        expected[0] = 1;
        Assert.Equal(expected, _client.ReportDmaLogging(0, 1UL << 48, 1UL << 45));
        Assert.Equal(new byte[8], _client.ReportDmaLogging(0, 1UL << 48, 1UL << 45));
    }

    [Fact]
    public void An_unmap_may_bring_the_pages_with_it()
    {
        _ = _client.StartDmaLogging(Page);
        Write(255 * Page);
        byte[] expected = new byte[32];
        expected[31] = 0x80;
        Assert.Equal(expected, _client.DmaUnmapWithBitmap(0, 256 * Page, Page));
        Assert.Equal(0, _served.Device.Iommu.MapCount);
    }

    [Fact]
    public void Whoever_tracks_nothing_is_told_nothing_and_the_map_stays()
    {
        Refused(Errno.EINVAL, () => _client.DmaUnmapWithBitmap(0, 256 * Page, Page));
        Refused(Errno.EINVAL, () => _client.ReportDmaLogging(0, 256 * Page, Page));
        Refused(Errno.EINVAL, _client.StopDmaLogging);
        _ = _client.StartDmaLogging(Page);
        Refused(Errno.EBUSY, () => _client.StartDmaLogging(Page));
        Refused(Errno.EINVAL, () => _client.DmaUnmapWithBitmap(0, 128 * Page, Page));
        Refused(Errno.E2BIG, () => _client.ReportDmaLogging(0, 1UL << 40, Page));
        Refused(Errno.EINVAL, () => _client.ReportDmaLogging(0, Page, 3));
        _client.StopDmaLogging();
        Refused(Errno.EINVAL, () => _client.ReportDmaLogging(0, 256 * Page, Page));
        Assert.Equal(1, _served.Device.Iommu.MapCount);
    }

    [Fact]
    public void The_next_client_finds_nothing_tracked()
    {
        _ = _client.StartDmaLogging(Page);
        _client.Dispose();
        _served.Device.WaitForClose();
        using VfioUserClient next = _served.Negotiated();
        Refused(Errno.EINVAL, () => next.ReportDmaLogging(0, Page, Page));
    }

    private static void Refused(Errno errno, Action action) => Assert.Equal(errno, Assert.Throws<VfioUserException>(action).Errno);

    private void Write(ulong iova, int length = 1) => Assert.Equal(Errno.None, _served.Device.DmaRw(iova, new byte[length], write: true));
}
