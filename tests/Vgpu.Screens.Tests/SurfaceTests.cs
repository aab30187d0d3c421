using Vgpu.Linux;

namespace Vgpu.Screens.Tests;

public sealed unsafe class SurfaceTests
{
    [Fact]
    public void Others_map_it_read_only_and_see_what_is_drawn()
    {
        using var surface = Surface.Create("test", 5, 3, PixelFormat.B8G8R8X8, stride: 32);

        Assert.Equal(Seals.F_SEAL_SHRINK | Seals.F_SEAL_GROW | Seals.F_SEAL_FUTURE_WRITE | Seals.F_SEAL_SEAL, MemFd.GetSeals(surface.File));
        Assert.Throws<LinuxException>(() => MemoryMapping.Share(surface.File, 0, 96, MemoryProtection.ReadWrite));
        Assert.Throws<LinuxException>(() => surface.File.Truncate(0));
        using var view = MemoryMapping.Share(surface.File, 0, 96, MemoryProtection.Read);
        surface.Row(2)[4] = 7;
        Assert.Equal(7, view.Span[(2 * 32) + 4]);
    }

    [Fact]
    public void Memory_stays_until_the_last_reference_goes()
    {
        var surface = Surface.Create("test", 64, 64, PixelFormat.R8G8B8A8);
        surface.Row(10)[20 * 4] = 9;
        Surface slice = surface.Slice(new Rect(20, 10, 4, 4));
        Surface shared = slice.Share();
        FileDescriptor file = surface.File;
        surface.Dispose();
        surface.Dispose();
        slice.Dispose();

        Assert.Throws<ObjectDisposedException>(() => surface.Share());
        Assert.Throws<ObjectDisposedException>(() => surface.Slice(new Rect(0, 0, 1, 1)));
        Assert.Equal(9, *shared.Pixels);
        Assert.Equal((4, 4, 256, (ulong)((10 * 256) + 80)), (shared.Width, shared.Height, shared.Stride, shared.Offset));
        Assert.False(file.IsClosed);
        shared.Dispose();
        Assert.True(file.IsClosed);
    }

    [Fact]
    public void A_view_tells_its_owner_when_nobody_looks_any_more()
    {
        var file = MemFd.Create("owner", 4096);
        var mapping = MemoryMapping.Share(file, 0, 4096, MemoryProtection.ReadWrite);
        int released = 0;
        Surface view = Surface.View(file, 16, mapping.Pointer + 16, 4, 4, 16, PixelFormat.B8G8R8X8, () => released++);
        file.Dispose();
        Surface shared = view.Share();
        view.Dispose();
        Assert.Equal(0, released);
        Assert.Equal(4096UL, shared.File.Inspect().Size);
        shared.Dispose();
        Assert.Equal(1, released);
        mapping.Dispose();
    }

    [Theory]
    [InlineData(0, 1, 0)]
    [InlineData(16385, 1, 0)]
    [InlineData(1, -1, 0)]
    [InlineData(4, 4, 12)]
    [InlineData(4, 4, 18)]
    public void Sizes_that_can_not_be_are_refused(int width, int height, int stride) =>
        Assert.Throws<ArgumentException>(() => Surface.Create("bad", width, height, PixelFormat.B8G8R8X8, stride));

    [Fact]
    public void Slices_lie_within()
    {
        using var surface = Surface.Create("test", 8, 8, PixelFormat.B8G8R8X8);
        foreach (Rect rect in new Rect[] { new(0, 0, 9, 1), new(-1, 0, 2, 2), new(7, 7, 2, 1), new(0, 0, 0, 0), new(1, 1, int.MaxValue, 1) })
        {
            Assert.Throws<ArgumentException>(() => surface.Slice(rect));
        }

        Assert.Throws<ArgumentException>(() => Surface.Create("bad", 1, 1, (PixelFormat)5));
    }
}
