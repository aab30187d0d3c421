// A VMM with a guest that draws on a virtio-gpu, as far as the device can tell: through the protocol only, with INTx.
using System.Buffers.Binary;

namespace Vgpu.Testing;

public sealed class DrawingClient : IDisposable
{
    public const int Width = 640;
    public const int Height = 480;

    private const ulong Version1 = 1UL << 32;
    private const uint Created2D = 0x0101;
    private const uint SetScanout = 0x0103;
    private const uint Flush = 0x0104;
    private const uint Transfer = 0x0105;
    private const uint AttachBacking = 0x0106;
    private const uint OkNoData = 0x1100;
    private const uint Format = 2; // B8G8R8X8
    private const uint Resource = 7;
    private const int RequestLength = 256;
    private const int ResponseLength = 24;
    private const int Bytes = Width * Height * 4;

    private readonly FakeGuest _guest = new();
    private readonly FakeDriver _driver;
    private readonly FakeQueue _control;
    private readonly FakeQueue _cursor;
    private readonly ulong _request;
    private readonly ulong _response;
    private readonly ulong _pixels;

    public DrawingClient(string socket)
    {
        Remote = new RemoteDevice(socket);
        Remote.Map(_guest);
        _driver = new FakeDriver(Remote);
        _control = new FakeQueue(_guest, 0, 64);
        _cursor = new FakeQueue(_guest, 1, 16);
        _request = _guest.Allocate(RequestLength);
        _response = _guest.Allocate(ResponseLength);
        _pixels = _guest.Allocate(Bytes);
        _driver.Start(Version1, _control, _cursor);
        Do(Created2D, Resource, Format, Width, Height);
        Do(AttachBacking, Resource, 1, (uint)_pixels, (uint)(_pixels >> 32), Bytes, 0);
        Do(SetScanout, 0, 0, Width, Height, 0, Resource);
    }

    public RemoteDevice Remote { get; }

    public FakeDriver Driver => _driver;

    /// <summary>What the guest has drawn last: rows of B8G8R8X8.</summary>
    public ReadOnlySpan<byte> Pixels => _guest.At(_pixels, Bytes);

    /// <summary>Draws a picture that no other number gives, and waits until the device has said that it is shown.</summary>
    public void Draw(int number)
    {
        Span<byte> pixels = _guest.At(_pixels, Bytes);
        for (int i = 0; i < Bytes; i += 4)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(pixels[i..], (uint)((i * 31) + (number * 7919)) & 0xff_ffff);
        }

        Do(Transfer, 0, 0, Width, Height, 0, 0, Resource, 0);
        Do(Flush, 0, 0, Width, Height, Resource, 0);
    }

    /// <summary>Makes a resource of this size, by a number that is not the picture's, and keeps it.</summary>
    public void Hold(uint resource, uint width, uint height) => Do(Created2D, resource, Format, width, height);

    public void Dispose()
    {
        _driver.Dispose();
        Remote.Dispose();
        _guest.Dispose();
    }

    // One command at a time, each answered exactly once.
    private void Do(uint command, params ReadOnlySpan<uint> words)
    {
        Span<byte> request = _guest.At(_request, RequestLength);
        request.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(request, command);
        for (int i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(request[(24 + (4 * i))..], words[i]);
        }

        _guest.At(_response, ResponseLength).Fill(0xee);
        ushort used = _control.UsedIndex;
        _control.Add(new GuestBuffer(_request, (uint)(24 + (4 * words.Length))), new GuestBuffer(_response, ResponseLength, Writable: true));
        _driver.Kick(_control);
        _driver.WaitFor(() => _control.UsedIndex != used);
        Assert.Equal((ushort)(used + 1), _control.UsedIndex);
        Assert.Equal(OkNoData, _guest.Get32(_response));
    }
}
