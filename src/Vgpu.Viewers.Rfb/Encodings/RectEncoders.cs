using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>The encodings of one viewer, each made when it is first used and kept: their streams go on to the end.</summary>
internal sealed class RectEncoders(IPictureCodecs? codecs) : IDisposable
{
    private readonly RawEncoder _raw = new();
    private ZrleEncoder? _zrle;
    private TightEncoder? _tight;

    internal IRectEncoder For(ViewerEncodings encodings) => encodings.Preferred switch
    {
        RfbProtocol.EncodingTight => _tight ??= new TightEncoder(encodings.Compression, codecs?.TryJpeg()),
        RfbProtocol.EncodingZrle => _zrle ??= new ZrleEncoder(encodings.Compression),
        _ => _raw,
    };

    public void Dispose()
    {
        _zrle?.Dispose();
        _tight?.Dispose();
    }
}
