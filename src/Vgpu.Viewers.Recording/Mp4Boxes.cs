using System.Buffers.Binary;

namespace Vgpu.Viewers.Recording;

// Boxes of ISO/IEC 14496-12 (4.2) in a buffer that grows: a box is begun, filled and ended, which writes its size.
internal sealed class Mp4Boxes
{
    private byte[] _buffer = new byte[4096];

    internal ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    internal int Length { get; private set; }

    internal void Clear() => Length = 0;

    // Returns what End takes.
    internal int Begin(ReadOnlySpan<byte> type)
    {
        int start = Length;
        U32(0);
        Bytes(type);
        return start;
    }

    internal int BeginFull(ReadOnlySpan<byte> type, byte version = 0, uint flags = 0)
    {
        int start = Begin(type);
        U32(((uint)version << 24) | flags);
        return start;
    }

    internal void End(int start) => PatchU32(start, (uint)(Length - start));

    internal void PatchU32(int at, uint value) => BinaryPrimitives.WriteUInt32BigEndian(_buffer.AsSpan(at, sizeof(uint)), value);

    internal void U8(int value) => Reserve(1)[0] = (byte)value;

    internal void U16(int value) => BinaryPrimitives.WriteUInt16BigEndian(Reserve(2), (ushort)value);

    internal void U32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Reserve(4), value);

    internal void U64(ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Reserve(8), value);

    internal void Bytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Reserve(bytes.Length));

    internal void Zeros(int count) => Reserve(count).Clear();

    private Span<byte> Reserve(int count)
    {
        if (_buffer.Length - Length < count)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, Length + count));
        }

        Length += count;
        return _buffer.AsSpan(Length - count, count);
    }
}
