namespace Vgpu.Virtio;

public sealed class DescriptorChain
{
    /// <summary>The chain's head, its name towards the driver.</summary>
    public ushort Head => throw new NotImplementedException();

    /// <summary>Bytes that the driver offers to be read.</summary>
    public ulong ReadableLength => throw new NotImplementedException();

    /// <summary>Bytes that the driver offers to be written.</summary>
    public ulong WritableLength => throw new NotImplementedException();

    /// <summary>Copies from the readable part at <paramref name="offset"/>; false where it is shorter than that or its memory is gone.</summary>
    public bool Read(ulong offset, Span<byte> destination) => throw new NotImplementedException();

    /// <summary>Copies to the writable part at <paramref name="offset"/>; false where it is shorter than that or its memory is gone.</summary>
    public bool Write(ulong offset, ReadOnlySpan<byte> source) => throw new NotImplementedException();
}
