using System.Buffers.Binary;

namespace Vgpu.Fuzz;

/// <summary>Reads an input as numbers and pieces; past its end there are zeros.</summary>
public ref struct InputReader(ReadOnlySpan<byte> input)
{
    private ReadOnlySpan<byte> _rest = input;

    /// <summary>Nothing is left.</summary>
    public readonly bool IsEnd => _rest.IsEmpty;

    public byte Byte()
    {
        if (_rest.IsEmpty)
        {
            return 0;
        }

        byte value = _rest[0];
        _rest = _rest[1..];
        return value;
    }

    public ushort UInt16() => (ushort)(Byte() | (Byte() << 8));

    public uint UInt32() => UInt16() | ((uint)UInt16() << 16);

    public ulong UInt64()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        bytes.Clear();
        Bytes(sizeof(ulong)).CopyTo(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    /// <summary>As many bytes as there are, at most <paramref name="most"/>.</summary>
    public ReadOnlySpan<byte> Bytes(int most)
    {
        ReadOnlySpan<byte> piece = _rest[..Math.Min(most, _rest.Length)];
        _rest = _rest[piece.Length..];
        return piece;
    }
}
