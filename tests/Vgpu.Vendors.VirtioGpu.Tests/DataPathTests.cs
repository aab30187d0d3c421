// The data path: what it allocates.
using Vgpu.Screens;
using static Vgpu.Vendors.VirtioGpu.Tests.GpuCommands;

namespace Vgpu.Vendors.VirtioGpu.Tests;

public sealed class DataPathTests(ITestOutputHelper output)
{
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
