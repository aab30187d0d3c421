namespace Vgpu.Gpus;

/// <summary>The smallest piece of a format that stands alone in memory: a pixel, or what a compressed format packs together.</summary>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Bytes">0 where the format is not known here.</param>
public readonly record struct RendererBlock(uint Width, uint Height, uint Bytes)
{
    /// <summary>Blocks that so many pixels of a row touch.</summary>
    public uint Across(uint pixels) => (uint)(((ulong)pixels + Width - 1) / Width);

    /// <summary>Blocks that so many rows touch.</summary>
    public uint Down(uint rows) => (uint)(((ulong)rows + Height - 1) / Height);
}
