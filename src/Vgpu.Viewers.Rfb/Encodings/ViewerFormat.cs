namespace Vgpu.Viewers.Rfb;

/// <summary>A viewer's pixel format with what turns pixels into it. Never changes.</summary>
internal sealed class ViewerFormat(RfbPixelFormat format)
{
    internal RfbPixelFormat Format { get; } = format;

    internal PixelPacker Plain { get; } = PixelPacker.Plain(format);

    internal PixelPacker Compact { get; } = PixelPacker.Compact(format);

    internal PixelPacker Tight { get; } = PixelPacker.Tight(format);
}
