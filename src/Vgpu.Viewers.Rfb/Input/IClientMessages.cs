using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>Takes a viewer's messages, one by one and in order. Each call returns soon.</summary>
internal interface IClientMessages
{
    void SetPixelFormat(RfbPixelFormat format);

    /// <summary>In the viewer's order of preference; valid during the call.</summary>
    void SetEncodings(ReadOnlySpan<int> encodings);

    /// <summary>Any rectangle, also one that lies outside.</summary>
    void RequestUpdate(bool incremental, Rect rect);

    void Key(uint keysym, bool isDown);

    void ExtendedKey(uint keysym, uint scancode, bool isDown);

    void Pointer(byte buttons, int x, int y);

    void EnableContinuousUpdates(bool enable, Rect rect);

    /// <summary>At most 64 bytes of payload, valid during the call.</summary>
    void Fence(uint flags, ReadOnlySpan<byte> payload);

    /// <summary>A size, and the screens in it; valid during the call.</summary>
    void SetDesktopSize(int width, int height, ReadOnlySpan<Rect> screens);

    /// <summary>A message has been taken.</summary>
    void MessageDone();
}
