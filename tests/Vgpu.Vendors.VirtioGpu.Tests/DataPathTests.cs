// The data path: what it allocates.
using Vgpu.Screens;
using Vgpu.Testing;
using static Vgpu.Vendors.VirtioGpu.Tests.GpuCommands;

namespace Vgpu.Vendors.VirtioGpu.Tests;

public sealed class DataPathTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Transfer_flush_and_cursor_moves_allocate_nothing(bool isKept)
    {
        using var file = new CheckpointFile(8 << 20);
        using var guest = new GpuGuest(heads: 2);
        if (isKept)
        {
            file.Keep(guest.Function);
        }

        Assert.Equal(OK, guest.Create2D(1, 64, 64));
        Assert.Equal(OK, guest.Attach(1, PictureTests.Scatter(guest, 64 * 64 * 4, 1000)));
        Assert.Equal(OK, guest.SetScanout(0, 1, R(0, 0, 64, 64)));
        Assert.Equal(OK, guest.CreateBlob(2, 64 * 64 * 4, Backing(GpuGuest.PictureOffset, 64 * 64 * 4)));
        Assert.Equal(OK, guest.SetScanoutBlob(1, 2, R(0, 0, 64, 64), 64, 64, 256));
        Assert.Equal(OK, guest.UpdateCursor(0, 1, 0, 0));
        using IDisposable observation = guest.Head.Observe(new Silent());

        int wrong = Frames(guest, 300);
        long least = Allocations.Least(() => wrong += Frames(guest, 100));
        output.WriteLine($"{least} bytes for 400 commands");
        Assert.Equal(0, wrong);
        Assert.Equal(0, least);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Rendering_with_fences_allocates_nothing(bool isKept)
    {
        using var file = new CheckpointFile(8 << 20);
        var renderer = new FakeRenderer3D { IsPrompt = true, IsSilent = true };
        using var guest = new GpuGuest(features: RenderingCommands.Features, renderer3D: () => renderer);
        if (isKept)
        {
            file.Keep(guest.Function);
        }

        Assert.Equal(OK, guest.CreateContext(1));
        Assert.Equal(OK, guest.Create3D(1, 64, 64));
        Assert.Equal(OK, guest.Attach(1, PictureTests.Scatter(guest, 64 * 64 * 4, 1000)));
        Assert.Equal(OK, guest.SetScanout(0, 1, R(0, 0, 64, 64)));
        using IDisposable observation = guest.Head.Observe(new Silent());

        int wrong = RenderedFrames(guest, 300);
        long least = Allocations.Least(() => wrong += RenderedFrames(guest, 100));
        output.WriteLine($"{least} bytes for 400 commands");
        Assert.Equal(0, wrong);
        Assert.Equal(0, least);
    }

    private static int RenderedFrames(GpuGuest guest, int count)
    {
        int wrong = 0;
        for (int i = 0; i < count; i++)
        {
            wrong += guest.Submit(1, 1, (uint)i) == OK ? 0 : 1;
            wrong += guest.Transfer3D(1, 0, 0, 64, 64) == OK ? 0 : 1;
            int answered = guest.Answered;
            _ = guest.PostFence(0, (ulong)i);
            guest.Await(answered + 1);
            wrong += guest.ResponseAt(0).Type == OK ? 0 : 1;
            wrong += guest.Flush(1, R(1, 1, 10, 10)) == OK ? 0 : 1;
        }

        return wrong;
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
