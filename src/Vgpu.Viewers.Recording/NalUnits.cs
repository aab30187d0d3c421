namespace Vgpu.Viewers.Recording;

// The NAL units of a stream with start codes (ITU-T H.264, Annex B): foreach (ReadOnlySpan<byte> unit in new NalUnits(stream)).
internal ref struct NalUnits(ReadOnlySpan<byte> annexB)
{
    internal const int SPS = 7;
    internal const int PPS = 8;
    private ReadOnlySpan<byte> _rest = annexB;

    /// <summary>The unit at hand, without its start code; never empty.</summary>
    public ReadOnlySpan<byte> Current { get; private set; }

    public readonly NalUnits GetEnumerator() => this;

    public bool MoveNext()
    {
        while (true)
        {
            int start = _rest.IndexOf(StartCode);
            if (start < 0)
            {
                return false;
            }

            _rest = _rest[(start + StartCode.Length)..];
            int next = _rest.IndexOf(StartCode);

            // A zero before the next start code is that code's, or padding.
            Current = (next < 0 ? _rest : _rest[..next]).TrimEnd((byte)0);
            if (!Current.IsEmpty)
            {
                return true;
            }
        }
    }

    internal static int TypeOf(ReadOnlySpan<byte> unit) => unit[0] & 0x1f;

    private static ReadOnlySpan<byte> StartCode => [0, 0, 1];
}
