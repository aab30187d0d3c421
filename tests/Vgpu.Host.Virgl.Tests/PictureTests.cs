using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Testing;
using static Vgpu.Host.Virgl.Tests.Guest;

namespace Vgpu.Host.Virgl.Tests;

/// <summary>What a guest draws is what is read back, pixel by pixel.</summary>
[Collection(nameof(Rendering))]
public sealed class PictureTests(RendererThread thread)
{
    private const uint Blue = 0xff0000ff;
    private const uint Red = 0xffff0000;
    private static readonly uint[] s_everyGl = [1, 2, 67];

    [Fact]
    public void A_clear_fills_all() => thread.Run(renderer =>
    {
        Begin(renderer, 37, 23);

        Ok(renderer.Submit(1, new CommandStream().Target(1, 1, B8G8R8X8).Clear(0, 1, 1, 1).Bytes));

        Assert.All(Read(renderer, 1, new Rect(0, 0, 37, 23)), pixel => Assert.Equal(0xff00ffff, pixel));
    });

    // With the flag GL has the picture upside down, for transfers as for what shows it, and who draws to it must know: the library does
    // not turn what is drawn.
    [Theory]
    [InlineData(0u, 0)]
    [InlineData(VIRTIO_GPU_RESOURCE_FLAG_Y_0_TOP, 24)]
    public void A_filled_corner_is_where_it_was_drawn(uint flags, int top) => thread.Run(renderer =>
    {
        Begin(renderer, 64, 48, flags);
        Ok(renderer.CreateResource(2, Buffer(96)));
        Ok(renderer.AttachResource(1, 2));

        // The left quarter of the upper half: a window's rows begin at the top for Gallium.
        Ok(renderer.Submit(1, new CommandStream()
            .Target(1, 1, B8G8R8X8)
            .Clear(0, 0, 1, 1)
            .Pipeline(64, 48, "1.0, 0.0, 0.0, 1.0")
            .Fill(2, -1, -1, -0.5f, 0).Bytes));

        uint[] pixels = Read(renderer, 1, new Rect(0, 0, 64, 48));
        for (int y = 0; y < 48; y++)
        {
            for (int x = 0; x < 64; x++)
            {
                Assert.True(pixels[(y * 64) + x] == (x < 16 && y >= top && y < top + 24 ? Red : Blue), $"{pixels[(y * 64) + x]:x8} at {x},{y}");
            }
        }
    });

    [Theory]
    [InlineData(0u)]
    [InlineData(VIRTIO_GPU_RESOURCE_FLAG_Y_0_TOP)]
    public void A_part_is_read_where_it_lies_and_nothing_beside_it(uint flags) => thread.Run(renderer =>
    {
        using var memory = new GuestMemory(37 * 23 * 4);
        Begin(renderer, 37, 23, flags);
        Upload(renderer, memory, 37, 23);

        byte[] target = Enumerable.Repeat((byte)0x11, 6 * 60).ToArray();
        Ok(renderer.ReadPixels(1, new Rect(5, 3, 11, 6), target.AsSpan(0, (5 * 60) + 44), 60));

        for (int y = 0; y < 6; y++)
        {
            for (int x = 0; x < 15; x++)
            {
                uint pixel = BitConverter.ToUInt32(target, (y * 60) + (x * 4));
                Assert.Equal(x < 11 ? memory.Pixels[((y + 3) * 37) + x + 5] | 0xff000000 : 0x11111111u, pixel);
            }
        }
    });

    [Theory]
    [InlineData(1u, 0, 1, 2, 3)]
    [InlineData(2u, 0, 1, 2, -1)]
    [InlineData(3u, 3, 2, 1, 0)]
    [InlineData(4u, 3, 2, 1, -1)]
    [InlineData(67u, 2, 1, 0, 3)]
    [InlineData(68u, 1, 2, 3, -1)]
    [InlineData(121u, 1, 2, 3, 0)]
    [InlineData(134u, 2, 1, 0, -1)]
    [InlineData(100u, 0, 1, 2, 3)]
    public void Whatever_the_order_of_bytes_the_colours_are_right(uint format, int blue, int green, int red, int alpha) => thread.Run(renderer =>
    {
        using var memory = new GuestMemory(5 * 3 * 4);
        if (renderer.CreateResource(1, Picture(5, 3, 0, format)) != Errno.None)
        {
            // Not every GL has every order; a guest is told of those that it has.
            Assert.DoesNotContain(format, s_everyGl);
            return;
        }

        Upload(renderer, memory, 5, 3);

        uint[] pixels = Read(renderer, 1, new Rect(0, 0, 5, 3));
        for (int i = 0; i < pixels.Length; i++)
        {
            ReadOnlySpan<byte> given = memory.Bytes.Slice(4 * i, 4);
            uint opacity = alpha < 0 ? 0xffu : given[alpha];
            Assert.Equal((opacity << 24) | ((uint)given[red] << 16) | ((uint)given[green] << 8) | given[blue], pixels[i]);
        }
    });

    [Fact]
    public void What_cannot_be_shown_or_does_not_fit_is_refused() => thread.Run(renderer =>
    {
        Ok(renderer.CreateResource(1, Picture(64, 48)));
        Ok(renderer.CreateResource(2, Buffer(4096)));
        Ok(renderer.CreateResource(3, Picture(64, 48, 0, R8_UNORM)));
        byte[] target = new byte[64 * 48 * 4];

        Assert.Equal(Errno.ENOENT, renderer.ReadPixels(9, new Rect(0, 0, 1, 1), target, 4));
        Assert.Equal(Errno.ENOTSUP, renderer.ReadPixels(2, new Rect(0, 0, 1, 1), target, 4));
        Assert.Equal(Errno.ENOTSUP, renderer.ReadPixels(3, new Rect(0, 0, 1, 1), target, 4));
        Assert.Equal(Errno.EINVAL, renderer.ReadPixels(1, new Rect(0, 0, 65, 48), target, 260));
        Assert.Equal(Errno.EINVAL, renderer.ReadPixels(1, new Rect(0, 1, 64, 48), target, 256));
        Assert.Equal(Errno.EINVAL, renderer.ReadPixels(1, new Rect(-1, 0, 2, 2), target, 256));
        Assert.Equal(Errno.EINVAL, renderer.ReadPixels(1, new Rect(int.MaxValue, 0, int.MaxValue, 1), target, 256));
        Assert.Equal(Errno.EINVAL, renderer.ReadPixels(1, new Rect(0, 0, 64, 48), target, 252));
        Assert.Equal(Errno.EINVAL, renderer.ReadPixels(1, new Rect(0, 0, 64, 48), target, 258));
        Assert.Equal(Errno.EINVAL, renderer.ReadPixels(1, new Rect(0, 0, 64, 48), target.AsSpan(1), 256));
        Assert.All(target, each => Assert.Equal(0, each));
        Ok(renderer.ReadPixels(1, new Rect(3, 3, 0, 9), default, 0));
    });

    private static void Upload(VirglRenderer renderer, GuestMemory memory, uint width, uint height)
    {
        new Random(7).NextBytes(memory.Bytes);
        Ok(renderer.AttachBacking(1, memory.Runs()));
        Ok(renderer.Transfer(0, 1, Part(new Rect(0, 0, (int)width, (int)height), width, isFromHost: false)));
    }
}
