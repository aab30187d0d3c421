namespace Vgpu.Viewers.Rfb;

/// <summary>What a viewer understands, out of its SetEncodings. Never changes.</summary>
internal sealed record ViewerEncodings
{
    private const int DefaultCompression = 2;
    private const int MostCompression = 6;

    /// <summary>The first that we have of those that it asked for; Raw goes without asking.</summary>
    internal int Preferred { get; private init; } = RfbProtocol.EncodingRaw;

    /// <summary>zlib's level: 1 to 6. More costs time that a screen does not have.</summary>
    internal int Compression { get; private init; } = DefaultCompression;

    /// <summary>0 (coarse) to 9; -1: it wants no JPEG.</summary>
    internal int JpegQuality { get; private init; } = -1;

    internal bool CopyRect { get; private init; }

    internal bool Cursor { get; private init; }

    internal bool CursorWithAlpha { get; private init; }

    internal bool DesktopSize { get; private init; }

    internal bool ExtendedDesktopSize { get; private init; }

    internal bool ExtendedKeys { get; private init; }

    internal bool Fence { get; private init; }

    internal bool ContinuousUpdates { get; private init; }

    internal bool H264 { get; private init; }

    internal bool LastRect { get; private init; }

    internal bool DrawsCursor => Cursor || CursorWithAlpha;

    internal bool Resizes => DesktopSize || ExtendedDesktopSize;

    internal static ViewerEncodings From(ReadOnlySpan<int> encodings)
    {
        int level = Within(encodings, RfbProtocol.EncodingCompressionLowest, RfbProtocol.EncodingCompressionHighest);
        int preferred = encodings.IndexOfAny(RfbProtocol.EncodingTight, RfbProtocol.EncodingZrle, RfbProtocol.EncodingRaw);
        return new ViewerEncodings
        {
            Preferred = preferred < 0 ? RfbProtocol.EncodingRaw : encodings[preferred],
            Compression = level < 0 ? DefaultCompression : Math.Clamp(level, 1, MostCompression),
            JpegQuality = Within(encodings, RfbProtocol.EncodingJpegQualityLowest, RfbProtocol.EncodingJpegQualityHighest),
            CopyRect = encodings.Contains(RfbProtocol.EncodingCopyRect),
            Cursor = encodings.Contains(RfbProtocol.EncodingCursor),
            CursorWithAlpha = encodings.Contains(RfbProtocol.EncodingCursorWithAlpha),
            DesktopSize = encodings.Contains(RfbProtocol.EncodingDesktopSize),
            ExtendedDesktopSize = encodings.Contains(RfbProtocol.EncodingExtendedDesktopSize),
            ExtendedKeys = encodings.Contains(RfbProtocol.EncodingQemuExtendedKeyEvent),
            Fence = encodings.Contains(RfbProtocol.EncodingFence),
            ContinuousUpdates = encodings.Contains(RfbProtocol.EncodingContinuousUpdates),
            LastRect = encodings.Contains(RfbProtocol.EncodingLastRect),
            H264 = encodings.Contains(RfbProtocol.EncodingOpenH264),
        };
    }

    // How far above the lowest of a row of pseudo-encodings the first of them is; -1 where there is none.
    private static int Within(ReadOnlySpan<int> encodings, int lowest, int highest)
    {
        int at = encodings.IndexOfAnyInRange(lowest, highest);
        return at < 0 ? -1 : encodings[at] - lowest;
    }
}
