using Vgpu.Gpus;
using Vgpu.Linux;

namespace Vgpu.Host.Virgl.Tests;

/// <summary>Where a transfer ends, for all that a guest can say; beside <see cref="TransferTests"/>, which a library answers too.</summary>
public sealed class BoundsTests
{
    private const ulong Plenty = 1ul << 40;

    private static readonly RendererResource3D s_volume = Guest.Picture(64, 32) with { Target = RendererFormat.PIPE_TEXTURE_3D, Depth = 16, LastLevel = 4 };

    private static readonly RendererTransfer3D s_all = new() { IsFromHost = false, Width = 64, Height = 32, Depth = 16 };

    [Theory]
    [InlineData(0u, 0u, 64 * 32 * 16 * 4)]
    [InlineData(256u, 0u, 64 * 32 * 16 * 4)]
    [InlineData(260u, 0u, (15 * 260 * 32) + (31 * 260) + 256)]
    [InlineData(260u, 9000u, (15 * 9000) + (31 * 260) + 256)]
    public void A_volume_ends_with_its_last_row(uint stride, uint layerStride, int length)
    {
        RendererTransfer3D transfer = s_all with { Stride = stride, LayerStride = layerStride };
        Assert.Equal(Errno.None, TransferBounds.Check(s_volume, transfer, (ulong)length));
        Assert.Equal(Errno.EINVAL, TransferBounds.Check(s_volume, transfer, (ulong)length - 1));
        Assert.Equal(Errno.None, TransferBounds.Check(s_volume, transfer with { Offset = 3 }, (ulong)length + 3));
        Assert.Equal(Errno.EINVAL, TransferBounds.Check(s_volume, transfer with { Offset = 4 }, (ulong)length + 3));
    }

    [Fact]
    public void What_wraps_in_32_bits_is_refused_whatever_the_memory()
    {
        // 15 layers of this are 2^32 and a few bytes: a sum of 32 bits says that they are a few bytes.
        const uint Wrapping = 0x1111_1120;
        Assert.Equal(Errno.EINVAL, TransferBounds.Check(s_volume, s_all with { LayerStride = Wrapping }, Plenty));
        Assert.Equal(Errno.EINVAL, TransferBounds.Check(s_volume, s_all with { Stride = uint.MaxValue, LayerStride = uint.MaxValue }, Plenty));
        Assert.Equal(Errno.EINVAL, TransferBounds.Check(s_volume with { Format = uint.MaxValue }, s_all with { LayerStride = Wrapping }, Plenty));
        Assert.Equal(Errno.None, TransferBounds.Check(s_volume with { Format = uint.MaxValue }, s_all, 0));
    }

    [Fact]
    public void Rows_and_layers_do_not_run_into_each_other()
    {
        Assert.Equal(Errno.EINVAL, TransferBounds.Check(s_volume, s_all with { Stride = 252 }, Plenty));
        Assert.Equal(Errno.EINVAL, TransferBounds.Check(s_volume, s_all with { LayerStride = (256 * 32) - 1 }, Plenty));
    }

    [Fact]
    public void A_level_is_smaller_in_all_that_it_has()
    {
        RendererTransfer3D level = s_all with { Level = 2, Width = 16, Height = 8, Depth = 4 };
        Assert.Equal(Errno.None, TransferBounds.Check(s_volume, level, 16 * 8 * 4 * 4));
        Assert.Equal(Errno.EINVAL, TransferBounds.Check(s_volume, level with { Width = 17 }, Plenty));
        Assert.Equal(Errno.EINVAL, TransferBounds.Check(s_volume, level with { Depth = 5 }, Plenty));
        Assert.Equal(Errno.EINVAL, TransferBounds.Check(s_volume, level with { Level = 5, Width = 1, Height = 1, Depth = 1 }, Plenty));
    }

    [Fact]
    public void Compressed_rows_are_of_blocks()
    {
        RendererResource3D compressed = Guest.Picture(10, 10, 0, 105);
        RendererTransfer3D all = s_all with { Width = 10, Height = 10, Depth = 1 };
        Assert.Equal(Errno.None, TransferBounds.Check(compressed, all, 3 * 3 * 8));
        Assert.Equal(Errno.EINVAL, TransferBounds.Check(compressed, all, (3 * 3 * 8) - 1));
        Assert.Equal(Errno.None, TransferBounds.Check(compressed, all with { Stride = 32 }, (2 * 32) + 24));
    }

    [Fact]
    public void An_image_is_of_a_format()
    {
        Assert.Equal(Errno.None, Check(1, 0, 67, 0, 0, 0, 7, 312, 0, 0, 0, 7));
        Assert.Equal(Errno.EINVAL, Check(1, 0, 67, 0, 0, 0, 7, 313, 0, 0, 0, 7));
        Assert.Equal(Errno.EINVAL, Check(1, 0, uint.MaxValue));
        Assert.Equal(Errno.None, Check(1, 0));

        static Errno Check(params uint[] payload) => StreamBounds.Check([35 | ((uint)payload.Length << 16), .. payload], []);
    }

    [Theory]
    [InlineData(9u)]
    [InlineData(43u)]
    [InlineData(45u)]
    public void A_stream_has_no_other_bounds(uint command)
    {
        const uint Wrapping = 0x1111_1120;
        var resources = new Dictionary<uint, VirglResource> { [7] = new(s_volume) };
        using var memory = new GuestMemory(64 * 32 * 16 * 4);
        Assert.True(resources[7].TrySetBacking(memory.Runs()));
        uint[] good = [7, 0, 0, 256, 256 * 32, 0, 0, 0, 1, 1, 2, command == 45 ? 7u : 0, 0, 0];
        uint[] bad = [.. good];
        bad[4] = Wrapping;
        bad[10] = 16;

        Assert.Equal(Errno.None, Check(command, command == 9 ? [.. good[..11], .. new uint[(256 * 32 / 4) + 1]] : good));
        Assert.Equal(Errno.EINVAL, Check(command, bad));
        Assert.Equal(Errno.None, Check(command, [99, .. bad[1..]]));
        Assert.Equal(Errno.None, Check(command, bad[..5]));
        resources[7].FreeBacking();

        Errno Check(uint header, uint[] payload) =>
            StreamBounds.Check([0, header | ((uint)payload.Length << 16), .. payload], resources);
    }
}
