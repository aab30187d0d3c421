// What a guest's driver asks of a virtio-gpu that renders (virtio 1.2, 5.7.6.8), beside the screen's picture.
namespace Vgpu.Testing;

public sealed partial class GuestScreen
{
    private const uint CreateContext = 0x0200;
    private const uint AttachResource = 0x0202;
    private const uint Submit3D = 0x0207;
    private const uint Buffer = 0;
    private const uint VertexBuffer = 16;
    private const uint R8 = 64;
    private const uint Context = 1;
    private const int MaxStream = 16 << 10;

    private ulong _stream;

    /// <summary>A resource of the host's renderer that <see cref="Render"/>'s streams may put vertices into.</summary>
    public const uint Vertices = 8;

    /// <summary>The screen's own picture, for streams.</summary>
    public const uint Shown = Resource;

    /// <summary>Has the host's renderer work through a stream, in a context that has the screen's picture and <see cref="Vertices"/>.</summary>
    public void Render(CommandStream stream)
    {
        OfferStream(stream);
        Finish(1);
    }

    /// <summary>Makes the context, and what it has.</summary>
    public void BeginRendering()
    {
        Offer(CreateContext, Context, [0, 0, .. new uint[16]]);
        Finish(1);
        Do(Create3D, Vertices, Buffer, R8, VertexBuffer, 4096, 1, 1, 1, 0, 0, 0, 0);
        foreach (uint resource in (uint[])[Resource, Vertices])
        {
            Offer(AttachResource, Context, [resource, 0]);
            Finish(1);
        }
    }

    /// <summary>Submits a stream and flushes the picture that it draws, and does not wait for either.</summary>
    public void RenderWithoutWaiting(CommandStream stream)
    {
        OfferStream(stream);
        Offer(Flush, 0, 0, (uint)Width, (uint)Height, Resource, 0);
        Driver.Kick(_control);
    }

    private void OfferStream(CommandStream stream)
    {
        _stream = _stream == 0 ? _guest.Allocate(MaxStream) : _stream;
        byte[] bytes = stream.Bytes;
        bytes.CopyTo(_guest.At(_stream, MaxStream));
        Offer(Submit3D, Context, [(uint)bytes.Length, 0], new GuestBuffer(_stream, (uint)bytes.Length));
    }
}
