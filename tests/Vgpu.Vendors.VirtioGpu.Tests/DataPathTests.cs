// The data path: what it costs. Allocations exactly; copying against a plain copy of the same bytes, best of many.
using System.Diagnostics;
using Vgpu.Gpus;
using Vgpu.Host.Software;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Vfio.Iommu;
using static Vgpu.Vendors.VirtioGpu.Tests.GpuCommands;

namespace Vgpu.Vendors.VirtioGpu.Tests;

public sealed class DataPathTests(ITestOutputHelper output)
{
    private const int Width = 1920;
    private const int Height = 1080;
    private const int Bytes = Width * Height * 4;
    private const int Page = 4096;

    [Fact]
    public void Transfer_flush_and_cursor_moves_allocate_nothing()
    {
        using var guest = new GpuGuest(heads: 2);
        Assert.Equal(OK, guest.Create2D(1, 64, 64));
        Assert.Equal(OK, guest.Attach(1, PictureTests.Scatter(guest, 64 * 64 * 4, 1000)));
        Assert.Equal(OK, guest.SetScanout(0, 1, R(0, 0, 64, 64)));
        Assert.Equal(OK, guest.CreateBlob(2, 64 * 64 * 4, Backing(GpuGuest.PictureOffset, 64 * 64 * 4)));
        Assert.Equal(OK, guest.SetScanoutBlob(1, 2, R(0, 0, 64, 64), 64, 64, 256));
        Assert.Equal(OK, guest.UpdateCursor(0, 1, 0, 0));
        using IDisposable observation = guest.Head.Observe(new Silent());

        Assert.Equal(0, Frames(guest, 300));
        long before = GC.GetTotalAllocatedBytes(precise: true);
        int wrong = Frames(guest, 1000);
        long allocated = GC.GetTotalAllocatedBytes(precise: true) - before;

        Assert.Equal(0, wrong);

        // The whole process is counted: the test runner may write a line meanwhile, 4,000 commands that allocate can't hide in it.
        Assert.InRange(allocated, 0, 16_000);
        output.WriteLine($"{allocated} bytes for 4000 commands");
    }

    [Fact]
    public void A_transfer_copies_at_the_speed_of_a_copy()
    {
        using var guest = new GpuGuest();
        using var renderer = new SoftwareRenderer();
        using IRendererResource resource = renderer.CreateResource2D(PixelFormat.B8G8R8X8, Width, Height)!;
        Surface surface = resource.GetSurface()!;
        var one = new DmaScatterList(guest.Iommu, [new DmaEntry(GpuGuest.RamIova + GpuGuest.PictureOffset, Bytes)], IommuProtection.IOMMU_READ);
        DmaEntry[] pages = ShuffledPages();
        var scattered = new DmaScatterList(guest.Iommu, pages, IommuProtection.IOMMU_READ);
        guest.Ram(GpuGuest.PictureOffset, (int)(FakeGuest.PieceSize - GpuGuest.PictureOffset)).Fill(1);
        var rect = new Rect(0, 0, Width, Height);

        double plain = 0;
        double oneRun = 0;
        double manyRuns = 0;
        double byHand = 0;
        for (int round = 0; round < 60; round++)
        {
            plain = Math.Max(plain, Rate(() => Copy(guest, surface)));
            byHand = Math.Max(byHand, Rate(() => CopyPages(guest, pages, surface)));
            lock (guest.Function.Lock)
            {
                oneRun = Math.Max(oneRun, Rate(() => Assert.Equal(Errno.None, resource.TransferFromGuest(one, rect, 0))));
                manyRuns = Math.Max(manyRuns, Rate(() => Assert.Equal(Errno.None, resource.TransferFromGuest(scattered, rect, 0))));
            }
        }

        output.WriteLine(
            $"plain {plain:F2} GB/s, one run {oneRun / plain:F2} of it, {scattered.Runs.Count} runs {manyRuns / plain:F2}, those by hand {byHand / plain:F2}");

        // Loose, for a loaded machine; the line above is the measurement.
        Assert.InRange(oneRun / plain, 0.6, 10);
        Assert.InRange(manyRuns / plain, 0.4, 10);
    }

    private static unsafe void Copy(GpuGuest guest, Surface surface) =>
        guest.Ram(GpuGuest.PictureOffset, Bytes).CopyTo(new Span<byte>(surface.Pixels, Bytes));

    private static unsafe void CopyPages(GpuGuest guest, DmaEntry[] pages, Surface surface)
    {
        for (int i = 0; i < pages.Length; i++)
        {
            int length = Math.Min(Page, Bytes - (i * Page));
            guest.Ram(pages[i].Iova - GpuGuest.RamIova, length).CopyTo(new Span<byte>(surface.Pixels + (i * Page), length));
        }
    }

    private static double Rate(Action copy)
    {
        long start = Stopwatch.GetTimestamp();
        copy();
        return Bytes / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9;
    }

    private static DmaEntry[] ShuffledPages()
    {
        int[] pages = [.. Enumerable.Range(0, (int)((FakeGuest.PieceSize - GpuGuest.PictureOffset) / Page))];
        new Random(12).Shuffle(pages);
        return [.. pages.Take((Bytes + Page - 1) / Page)
            .Select(page => new DmaEntry(GpuGuest.RamIova + GpuGuest.PictureOffset + ((ulong)page * Page), Page))];
    }

    // Assert.Equal allocates: the wrong answers are counted instead.
    private static int Frames(GpuGuest guest, int count)
    {
        int wrong = 0;
        for (int i = 0; i < count; i++)
        {
            wrong += guest.Transfer(1, R(0, 0, 64, 64)) == OK ? 0 : 1;
            wrong += guest.Flush(1, R(1, 1, 10, 10)) == OK ? 0 : 1;
            wrong += guest.Flush(2, R(1, 1, 10, 10)) == OK ? 0 : 1;
            wrong += guest.MoveCursor(0, i, i) == OK ? 0 : 1;
        }

        return wrong;
    }

    private sealed class Silent : IHeadObserver
    {
        public void SurfaceChanged(Head head)
        {
        }

        public void Damaged(Head head, Rect rect)
        {
        }

        public void CursorChanged(Head head)
        {
        }
    }
}
