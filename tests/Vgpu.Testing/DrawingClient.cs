// A VMM with a guest that draws on a virtio-gpu, as far as the device can tell: through the protocol only, with INTx.
using System.Buffers.Binary;
using Vgpu.Screens;

namespace Vgpu.Testing;

public sealed class DrawingClient : IDisposable
{
    public const int Width = 640;
    public const int Height = 480;

    private const int Bytes = Width * Height * 4;

    private readonly FakeGuest _guest = new();
    private readonly GuestScreen _screen;

    /// <summary>Connects; <paramref name="renders"/>: the picture is a resource of the host's renderer.</summary>
    public DrawingClient(string socket, bool renders = false)
    {
        Remote = new RemoteDevice(socket);
        Remote.Map(_guest);
        _screen = new GuestScreen(_guest, Remote, Width, Height, renders: renders);
    }

    public RemoteDevice Remote { get; }

    public FakeDriver Driver => _screen.Driver;

    /// <summary>What the guest has drawn last: rows of B8G8R8X8.</summary>
    public ReadOnlySpan<byte> Pixels => _screen.Pixels;

    /// <summary>Draws a picture that no other number gives, and waits until the device has said that it is shown.</summary>
    public void Draw(int number)
    {
        Span<byte> pixels = _screen.Pixels;
        for (int i = 0; i < Bytes; i += 4)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(pixels[i..], (uint)((i * 31) + (number * 7919)) & 0xff_ffff);
        }

        _screen.Show(new Rect(0, 0, Width, Height));
    }

    /// <summary>What the guest's driver shows, and where it renders.</summary>
    public GuestScreen Screen => _screen;

    /// <summary>Makes a resource of this size, by a number that is not the picture's, and keeps it.</summary>
    public void Hold(uint resource, uint width, uint height) =>
        _screen.Do(0x0101, resource, 2, width, height); // RESOURCE_CREATE_2D, B8G8R8X8

    public void Dispose()
    {
        _screen.Dispose();
        Remote.Dispose();
        _guest.Dispose();
    }
}
