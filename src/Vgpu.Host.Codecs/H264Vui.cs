namespace Vgpu.Host.Codecs;

// What every stream of ours says of its colours (ITU-T H.264, E.2.1 and tables E-2 to E-5), and how quality becomes a
// quantizer: both encoders alike.
internal static class H264Vui
{
    internal const byte UnspecifiedFormat = 5;
    internal const byte Bt709Primaries = 1;
    internal const byte SrgbTransfer = 13;
    internal const byte Bt601Matrix = 6;

    private const int Coarsest = 46;
    private const int Span = 32;

    // 1 to 100 becomes QP 46 to 14.
    internal static int QuantizerOf(int quality) => Coarsest - (quality * Span / 100);
}
