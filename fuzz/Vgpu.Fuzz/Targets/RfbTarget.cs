using Vgpu.Viewers.Rfb;

namespace Vgpu.Fuzz.Targets;

/// <summary>All that a VNC viewer says once it is let in: a byte for how long the pieces are in which it comes, then the bytes.</summary>
internal sealed class RfbTarget : IFuzzTarget
{
    public string Name => "rfb";

    public IEnumerable<byte[]> Seeds =>
    [
        [63, .. SetPixelFormat(32, 255, 16, 8, 0), .. SetEncodings(7, 16, 1, 0, -224, -223, -239, -308, -312, -313, -314, -258, -24, -250), .. Request(0), .. Request(1)],
        [0, .. SetPixelFormat(8, 1, 2, 1, 0), 4, 1, 0, 0, 0, 0, 0, 97, 4, 0, 0, 0, 0, 0, 0, 97, 5, 1, 0, 9, 0, 9, 5, 24, 0, 9, 0, 9],
        [7, 255, 0, 0, 1, 0, 0, 0, 65, 0, 0, 0, 0x1e, 6, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3, 6, 0, 0, 0, 255, 255, 255, 252, 0, 0, 0, 1],
        [63, .. SetEncodings(-308, -312, -313), 251, 0, 4, 0, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 3, 0, 0, 0, 0, 0],
        [63, .. SetEncodings(-312, -313), 248, 0, 0, 0, 128, 0, 0, 4, 2, 1, 2, 4, 1, 0, 0, 0, 0, 255, 225, 150, 1, 0, 0, 0, 0, 4, 0, 3, 0, .. Request(1), 150, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [63, 4, 1, 0, 0, 0, 0, 255, 229, 4, 1, 0, 0, 0, 0, 0, 65, 4, 1, 0, 0, 0, 0, 255, 225, 4, 1, 0, 0, 0, 0, 0, 47],
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        using var viewer = new RfbTargetViewer();
        var parser = new ClientMessageParser(viewer);
        var reader = new InputReader(input);
        int most = reader.Byte() + 1;
        var buffer = new byte[ClientMessageParser.BufferSize];
        int length = 0;
        try
        {
            while (!reader.IsEnd)
            {
                ReadOnlySpan<byte> piece = reader.Bytes(Math.Min(most, buffer.Length - length));
                FindingException.Require(!piece.IsEmpty, "a message is not taken, and has no room to become longer");
                piece.CopyTo(buffer.AsSpan(length));
                length += piece.Length;
                int done = parser.Parse(buffer.AsSpan(0, length));
                FindingException.Require(done >= 0 && done <= length, "more was taken than came");
                length -= done;
                buffer.AsSpan(done, length).CopyTo(buffer);
            }
        }
        catch (RfbViolationException e)
        {
            FindingException.Require(e.Message.Length is > 0 and < 300, "a reason that no log should have");
        }

        viewer.Leave();
    }

    public void Dispose()
    {
    }

    private static byte[] SetPixelFormat(byte bits, byte max, byte red, byte green, byte blue) =>
        [0, 0, 0, 0, bits, bits, 0, 1, 0, max, 0, max, 0, max, red, green, blue, 0, 0, 0];

    private static byte[] SetEncodings(params int[] encodings) =>
        [2, 0, 0, (byte)encodings.Length, .. encodings.SelectMany(e => new[] { (byte)(e >> 24), (byte)(e >> 16), (byte)(e >> 8), (byte)e })];

    private static byte[] Request(byte incremental) => [3, incremental, 0, 0, 0, 0, 4, 0, 3, 0];
}
