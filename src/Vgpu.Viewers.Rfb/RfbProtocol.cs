namespace Vgpu.Viewers.Rfb;

// Numbers of the protocol: RFC 6143 section 7, and the community's rfbproto for what came after.
internal static class RfbProtocol
{
    internal const byte SecurityInvalid = 0;
    internal const byte SecurityNone = 1;
    internal const byte SecurityVncAuth = 2;
    internal const byte SecurityVeNCrypt = 19;
    internal const uint VeNCryptX509None = 260;
    internal const uint VeNCryptX509Vnc = 261;

    internal const byte SetPixelFormat = 0;
    internal const byte SetEncodings = 2;
    internal const byte FramebufferUpdateRequest = 3;
    internal const byte KeyEvent = 4;
    internal const byte PointerEvent = 5;
    internal const byte ClientCutText = 6;
    internal const byte EnableContinuousUpdates = 150;
    internal const byte ClientFence = 248;
    internal const byte SetDesktopSize = 251;
    internal const byte QemuMessage = 255;
    internal const byte QemuExtendedKeyEvent = 0;

    internal const byte FramebufferUpdate = 0;
    internal const byte EndOfContinuousUpdates = 150;
    internal const byte ServerFence = 248;

    internal const int EncodingRaw = 0;
    internal const int EncodingCopyRect = 1;
    internal const int EncodingTight = 7;
    internal const int EncodingZrle = 16;
    internal const int EncodingOpenH264 = 50;
    internal const int EncodingJpegQualityLowest = -32;
    internal const int EncodingJpegQualityHighest = -23;
    internal const int EncodingDesktopSize = -223;
    internal const int EncodingLastRect = -224;
    internal const int EncodingCursor = -239;
    internal const int EncodingCompressionLowest = -256;
    internal const int EncodingCompressionHighest = -247;
    internal const int EncodingQemuExtendedKeyEvent = -258;
    internal const int EncodingExtendedDesktopSize = -308;
    internal const int EncodingFence = -312;
    internal const int EncodingContinuousUpdates = -313;
    internal const int EncodingCursorWithAlpha = -314;

    internal const uint FenceBlockBefore = 1;
    internal const uint FenceBlockAfter = 2;
    internal const uint FenceSyncNext = 4;
    internal const uint FenceRequest = 1u << 31;
    internal const int MaxFencePayload = 64;

    /// <summary>More encodings than this no viewer knows: such a message is no SetEncodings.</summary>
    internal const int MaxEncodings = 512;

    /// <summary>The longest clipboard that is read, and thrown away.</summary>
    internal const int MaxCutText = 16 << 20;

    internal const ushort ReasonServer = 0;
    internal const ushort ReasonThisClient = 1;
    internal const ushort ReasonOtherClient = 2;
    internal const ushort ResizeDone = 0;
    internal const ushort ResizeProhibited = 1;
    internal const ushort ResizeInvalidLayout = 3;
    internal const ushort ResizeForwarded = 4;
}
