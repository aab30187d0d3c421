// What a pixel of each format costs: for quotas, and to know where a transfer ends before a library is asked for it.
namespace Vgpu.Gpus;

/// <summary>
/// The formats of <see cref="RendererResource3D"/>: Gallium's, by the numbers of VIRGL_FORMAT_* (virglrenderer's virgl_hw.h).
/// </summary>
public static class RendererFormat
{
    /// <summary>The target that has no pixels: a buffer, as wide as it has bytes.</summary>
    public const uint PIPE_BUFFER = 0;

    /// <summary>The target whose levels lose depth too.</summary>
    public const uint PIPE_TEXTURE_3D = 3;

    private const uint LargestBlock = 32;
    private const int MostLevels = 32;
    private const uint FirstAstc = 279;
    private const uint LastAstc = 306;

    // 4x4, 5x4, 5x5, 6x5, ... 12x12, and the same again in sRGB.
    private static ReadOnlySpan<byte> AstcWidths => [4, 5, 5, 6, 6, 8, 8, 8, 10, 10, 10, 10, 12, 12];

    private static ReadOnlySpan<byte> AstcHeights => [4, 4, 5, 5, 6, 5, 6, 8, 5, 6, 8, 10, 10, 12];

    // Bytes of a block, sixteen formats a row; 0: no format, a bit a pixel, or several planes.
    private static ReadOnlySpan<byte> Bytes =>
    [
        0, 4, 4, 4, 4, 2, 2, 2, 4, 1, 1, 1, 2, 2, 4, 4,
        2, 4, 4, 4, 4, 4, 4, 1, 8, 16, 24, 32, 4, 8, 12, 16,
        4, 8, 12, 16, 4, 8, 12, 16, 4, 8, 12, 16, 4, 8, 12, 16,
        2, 4, 6, 8, 2, 4, 6, 8, 2, 4, 6, 8, 2, 4, 6, 8,
        1, 2, 3, 4, 4, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 0,
        0, 0, 1, 2, 3, 4, 0, 4, 8, 12, 16, 2, 4, 6, 8, 1,
        2, 3, 4, 4, 4, 4, 4, 4, 4, 8, 8, 16, 16, 8, 8, 16,
        16, 8, 8, 16, 16, 4, 4, 4, 2, 4, 2, 4, 4, 4, 8, 0,
        4, 4, 1, 4, 4, 2, 4, 2, 4, 4, 8, 1, 4, 2, 2, 8,
        8, 16, 16, 1, 1, 2, 1, 2, 2, 4, 2, 2, 2, 4, 2, 4,
        4, 8, 4, 0, 0, 0, 0, 0, 1, 1, 2, 2, 4, 4, 4, 4,
        4, 1, 2, 3, 4, 1, 2, 3, 4, 2, 4, 6, 8, 2, 4, 6,
        8, 4, 8, 12, 16, 4, 8, 12, 16, 1, 1, 1, 2, 1, 1, 1,
        2, 2, 2, 2, 4, 2, 2, 2, 4, 4, 4, 4, 8, 4, 4, 4,
        8, 4, 8, 4, 4, 4, 4, 4, 4, 4, 8, 8, 8, 8, 8, 16,
        16, 16, 2, 4, 4, 4, 8, 2, 2, 4, 4, 8, 8, 4, 2, 16,
        16, 16, 16, 2, 2, 2, 4, 2, 2, 4, 4, 4, 4, 8, 8, 8,
        8, 16, 16, 8, 8, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 0, 4, 0, 0, 2, 1,
    ];

    /// <summary>The format's block; one of no bytes where the format is not known here.</summary>
    public static RendererBlock BlockOf(uint format)
    {
        uint bytes = format < (uint)Bytes.Length ? Bytes[(int)format] : 0u;
        switch (format)
        {
            // UYVY, YUYV and their like.
            case 14 or 15 or 117 or 118 or 227 or 228:
                return new RendererBlock(2, 1, bytes);

            // S3TC, RGTC, LATC, ETC1, BPTC, ETC2.
            case (>= 105 and <= 116) or (>= 143 and <= 146) or 226 or (>= 255 and <= 258) or (>= 269 and <= 278):
                return new RendererBlock(4, 4, bytes);

            case >= FirstAstc and <= LastAstc:
                int size = (int)(format - FirstAstc) % AstcWidths.Length;
                return new RendererBlock(AstcWidths[size], AstcHeights[size], bytes);

            default:
                return new RendererBlock(1, 1, bytes);
        }
    }

    /// <summary>A side of a mipmap level.</summary>
    public static uint Minify(uint side, uint level) => level < MostLevels ? Math.Max(side >> (int)level, 1) : 1;

    /// <summary>
    /// Bytes of all levels, layers and samples, without what a driver adds; for a format that is not known here as if it were the
    /// largest. Any numbers are allowed, as a guest may send them: <see cref="ulong.MaxValue"/> is more than can be.
    /// </summary>
    public static ulong BytesOf(in RendererResource3D resource)
    {
        if (resource.Target == PIPE_BUFFER)
        {
            return resource.Width;
        }

        RendererBlock block = BlockOf(resource.Format);
        ulong each = Times(block.Bytes == 0 ? LargestBlock : block.Bytes, Math.Max(resource.Samples, 1));
        ulong total = 0;
        for (uint level = 0; level <= resource.LastLevel && level < MostLevels; level++)
        {
            ulong blocks = Times(block.Across(Minify(resource.Width, level)), block.Down(Minify(resource.Height, level)));
            ulong layers = Times(Minify(resource.Depth, level), Math.Max(resource.ArraySize, 1));
            ulong bytes = Times(Times(blocks, layers), each);
            total = bytes > ulong.MaxValue - total ? ulong.MaxValue : total + bytes;
        }

        return total;
    }

    private static ulong Times(ulong a, ulong b) => Math.BigMul(a, b, out ulong low) == 0 ? low : ulong.MaxValue;
}
