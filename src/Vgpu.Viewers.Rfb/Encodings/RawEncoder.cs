namespace Vgpu.Viewers.Rfb;

/// <summary>Raw: pixel after pixel (RFC 6143, 7.7.1).</summary>
internal sealed class RawEncoder : IRectEncoder
{
    public int Number => RfbProtocol.EncodingRaw;

    public (int Width, int Height) Grid => (2048, 64);

    public bool Encode(PixelBlock block, ViewerFormat format, Loss loss, OutputBuffer to)
    {
        PixelPacker packer = format.Plain;
        for (int y = 0; y < block.Height; y++)
        {
            packer.Pack(block.Row(y), to.Take(block.Width * packer.Size));
        }

        return true;
    }

    public void Dispose()
    {
    }
}
