using System.Buffers;
using System.Buffers.Binary;

namespace Vgpu.Viewers.Rfb;

/// <summary>Bytes for a viewer, in network order; grows as needed and is kept. One thread at a time.</summary>
internal sealed class OutputBuffer : IBufferWriter<byte>, IDisposable
{
    private byte[] _bytes;

    internal OutputBuffer(int capacity = 4096) => _bytes = ArrayPool<byte>.Shared.Rent(capacity);

    internal int Length { get; private set; }

    internal ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    internal void Clear() => Length = 0;

    /// <summary>Forgets all from <paramref name="length"/> on.</summary>
    internal void Truncate(int length) => Length = length;

    internal void U8(byte value) => Take(1)[0] = value;

    internal void U16(int value) => BinaryPrimitives.WriteUInt16BigEndian(Take(2), (ushort)value);

    internal void U32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Take(4), value);

    internal void Bytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

    internal void Padding(int count) => Take(count).Clear();

    internal void SetU16(int at, int value) => BinaryPrimitives.WriteUInt16BigEndian(_bytes.AsSpan(at, 2), (ushort)value);

    internal void SetU32(int at, uint value) => BinaryPrimitives.WriteUInt32BigEndian(_bytes.AsSpan(at, 4), value);

    internal void SetU8(int at, byte value) => _bytes.AsSpan(0, Length)[at] = value;

    /// <summary>The next <paramref name="count"/> bytes, for the caller to fill.</summary>
    internal Span<byte> Take(int count)
    {
        Span<byte> room = GetSpan(count)[..count];
        Length += count;
        return room;
    }

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(_bytes.Length - Length), nameof(count));
        Length += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Grow(Math.Max(sizeHint, 1));
        return _bytes.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Grow(Math.Max(sizeHint, 1));
        return _bytes.AsSpan(Length);
    }

    public void Dispose()
    {
        byte[] bytes = _bytes;
        _bytes = [];
        Length = 0;
        if (bytes.Length != 0)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private void Grow(int room)
    {
        if (_bytes.Length - Length >= room)
        {
            return;
        }

        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(Length + room, _bytes.Length * 2));
        _bytes.AsSpan(0, Length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }
}
