using Vgpu.Gpus;

namespace Vgpu.Host.Virgl.Tests;

/// <summary>What a resource costs.</summary>
public sealed class FormatTests
{
    private static readonly RendererResource3D s_picture = Guest.Picture(100, 60);

    [Fact]
    public void A_picture_costs_its_pixels() => Assert.Equal(100ul * 60 * 4, RendererFormat.BytesOf(s_picture));

    [Fact]
    public void Levels_layers_and_samples_cost_too()
    {
        Assert.Equal((100ul * 60 * 4) + (50 * 30 * 4) + (25 * 15 * 4), RendererFormat.BytesOf(s_picture with { LastLevel = 2 }));
        Assert.Equal(6ul * 100 * 60 * 4, RendererFormat.BytesOf(s_picture with { Target = 4, ArraySize = 6 }));
        Assert.Equal((100ul * 60 * 9 * 4) + (50 * 30 * 4 * 4), RendererFormat.BytesOf(s_picture with { Target = RendererFormat.PIPE_TEXTURE_3D, Depth = 9, LastLevel = 1 }));
        Assert.Equal(4ul * 100 * 60 * 4, RendererFormat.BytesOf(s_picture with { Samples = 4 }));
    }

    [Fact]
    public void A_buffer_costs_its_bytes_whatever_its_format() => Assert.Equal(1234ul, RendererFormat.BytesOf(Guest.Buffer(1234) with { Format = 31 }));

    [Theory]
    [InlineData(105u, 4, 4, 8)] // DXT1_RGB
    [InlineData(108u, 4, 4, 16)] // DXT5_RGBA
    [InlineData(255u, 4, 4, 16)] // BPTC_RGBA_UNORM
    [InlineData(274u, 4, 4, 16)] // ETC2_SRGBA8
    [InlineData(279u, 4, 4, 16)] // ASTC_4x4
    [InlineData(288u, 10, 6, 16)] // ASTC_10x6
    [InlineData(306u, 12, 12, 16)] // ASTC_12x12_SRGB
    [InlineData(15u, 2, 1, 4)] // YUYV
    [InlineData(7u, 1, 1, 2)] // B5G6R5
    [InlineData(31u, 1, 1, 16)] // R32G32B32A32_FLOAT
    [InlineData(126u, 1, 1, 8)] // Z32_FLOAT_S8X24_UINT
    [InlineData(177u, 1, 1, 1)] // R8_UINT
    [InlineData(230u, 1, 1, 4)] // R8G8B8X8_SRGB
    [InlineData(312u, 1, 1, 1)] // R8_SRGB
    [InlineData(0u, 1, 1, 0)]
    [InlineData(uint.MaxValue, 1, 1, 0)]
    public void Blocks_are_the_formats(uint format, uint width, uint height, uint bytes) =>
        Assert.Equal(new RendererBlock(width, height, bytes), RendererFormat.BlockOf(format));

    [Fact]
    public void Compressed_pictures_cost_whole_blocks() =>
        Assert.Equal((3ul * 2 * 8) + 8 + 8 + 8, RendererFormat.BytesOf(Guest.Picture(9, 5, 0, 105) with { LastLevel = 3 }));

    [Fact]
    public void Nothing_wraps()
    {
        RendererResource3D most = s_picture with { Width = uint.MaxValue, Height = uint.MaxValue, Depth = uint.MaxValue, ArraySize = uint.MaxValue };
        Assert.Equal(ulong.MaxValue, RendererFormat.BytesOf(most with { LastLevel = uint.MaxValue, Samples = uint.MaxValue }));
        Assert.Equal(ulong.MaxValue, RendererFormat.BytesOf(most with { Format = uint.MaxValue }));
        Assert.Equal(100ul * 60 * 32, RendererFormat.BytesOf(s_picture with { Format = uint.MaxValue }));
    }
}
