namespace Vgpu.Testing.Rfb;

/// <summary>Tight's gradient filter: each colour is what it differs by from the left, plus the upper, less the upper left one.</summary>
internal static class TightGradient
{
    private const int Colours = 3;

    /// <summary>Pixels of three bytes, in rows of <paramref name="stride"/>, in place.</summary>
    internal static void Undo(Span<byte> bytes, int stride)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            bool hasLeft = i % stride >= Colours;
            int left = hasLeft ? bytes[i - Colours] : 0;
            int upper = i >= stride ? bytes[i - stride] : 0;
            int corner = hasLeft && i >= stride ? bytes[i - stride - Colours] : 0;
            bytes[i] += (byte)Math.Clamp(left + upper - corner, 0, 255);
        }
    }
}
