using System.Net;
using System.Text;
using Vgpu.Screens;
using Vgpu.Viewers.Rfb;

namespace Vgpu.Testing.Rfb;

/// <summary>An RFB viewer of the tests' own, which keeps the picture that it is shown, in the values of its pixel format.</summary>
internal sealed class Viewer : IDisposable
{
    private readonly ViewerDecoder _decoder;

    internal Viewer(EndPoint address, string version = "RFB 003.008\n", string? password = null, bool shared = true)
    {
        Wire = new Wire(address);
        Assert.Equal("RFB 003.008\n", Encoding.ASCII.GetString(Wire.Bytes(12)));
        Wire.Send(Encoding.ASCII.GetBytes(version));
        uint type;
        if (version == "RFB 003.003\n")
        {
            type = Wire.U32();
        }
        else
        {
            byte[] types = Wire.Bytes(Wire.U8());
            type = types[^1];
            Wire.Send((byte)type);
        }

        if (type == 2)
        {
            Wire.Send(VncAuth.Answer(Wire.Bytes(16), password!));
        }

        if (type == 2 || version == "RFB 003.008\n")
        {
            Result = Wire.U32();
        }

        _decoder = new ViewerDecoder(Wire);
        if (Result != 0)
        {
            return;
        }

        Wire.Send(shared ? (byte)1 : (byte)0);
        (_decoder.Width, _decoder.Height) = (Wire.U16(), Wire.U16());
        _decoder.Format = RfbPixelFormat.Read(Wire.Bytes(16));
        Name = Encoding.UTF8.GetString(Wire.Bytes((int)Wire.U32()));
        _decoder.Resize(_decoder.Width, _decoder.Height);
    }

    internal Wire Wire { get; }

    /// <summary>SecurityResult.</summary>
    internal uint Result { get; }

    internal string Name { get; } = string.Empty;

    internal int Width => _decoder.Width;

    internal int Height => _decoder.Height;

    internal ViewerDecoder Decoder => _decoder;

    /// <summary>Asks for pixels as the screen has them: bytes blue, green, red, nothing.</summary>
    internal void SetNativeFormat() => SetFormat(RfbPixelFormat.Native);

    internal void SetFormat(RfbPixelFormat format)
    {
        var bytes = new byte[16];
        format.Write(bytes);
        Wire.Send([0, 0, 0, 0, .. bytes]);
        _decoder.Format = format;
    }

    internal void SetEncodings(params int[] encodings) =>
        Wire.Send([2, 0, .. Wire.B16(encodings.Length), .. encodings.SelectMany(e => Wire.B32(e))]);

    internal void Request(bool incremental, Rect? rect = null)
    {
        Rect area = rect ?? new Rect(0, 0, Width, Height);
        Wire.Send([3, incremental ? (byte)1 : (byte)0, .. Wire.B16(area.X, area.Y, area.Width, area.Height)]);
    }

    internal void Key(uint keysym, bool isDown) => Wire.Send([4, isDown ? (byte)1 : (byte)0, 0, 0, .. Wire.B32(keysym)]);

    internal void Pointer(int buttons, int x, int y) => Wire.Send([5, (byte)buttons, .. Wire.B16(x, y)]);

    internal void ExtendedKey(uint keysym, uint scancode, bool isDown) =>
        Wire.Send([255, 0, .. Wire.B16(isDown ? 1 : 0), .. Wire.B32(keysym, scancode)]);

    internal void Fence(uint flags, params byte[] payload) => Wire.Send([248, 0, 0, 0, .. Wire.B32(flags), (byte)payload.Length, .. payload]);

    internal void SetDesktopSize(int width, int height) =>
        Wire.Send([251, 0, .. Wire.B16(width, height), 1, 0, .. Wire.B32(0), .. Wire.B16(0, 0, width, height), .. Wire.B32(0)]);

    public void Dispose()
    {
        Wire.Dispose();
        _decoder.Dispose();
    }
}
