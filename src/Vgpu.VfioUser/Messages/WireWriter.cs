using System.Runtime.InteropServices;

namespace Vgpu.VfioUser.Messages;

/// <summary>Puts fixed-layout structures, one after the other, into a span that is large enough for them.</summary>
internal ref struct WireWriter
{
    private readonly Span<byte> _bytes;
    private int _length;

    public WireWriter(Span<byte> bytes) => _bytes = bytes;

    /// <summary>What was written.</summary>
    public readonly ReadOnlySpan<byte> Written => _bytes[.._length];

    /// <summary>Appends a structure. Throws <see cref="ArgumentOutOfRangeException"/> where it does not fit.</summary>
    public void Write<T>(scoped in T value)
        where T : unmanaged
    {
        MemoryMarshal.Write(_bytes[_length..], in value);
        _length += SizeOf<T>();
    }

    /// <summary>Appends bytes as they are. Throws <see cref="ArgumentException"/> where they do not fit.</summary>
    public void Write(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_bytes[_length..]);
        _length += bytes.Length;
    }

    // Sound: sizeof of an unmanaged type touches no memory.
    private static unsafe int SizeOf<T>()
        where T : unmanaged => sizeof(T);
}
