namespace Vgpu.VfioUser.Journal;

/// <summary>Bytes that stay where they are: of this process alone, or of a <see cref="ConnectionJournal"/>.</summary>
internal sealed unsafe class WireBuffer
{
    private readonly byte* _bytes;
    private readonly object _owner;

    /// <summary>Memory of this process, not zeroed.</summary>
    internal WireBuffer(int length)
    {
        byte[] array = GC.AllocateUninitializedArray<byte>(length, pinned: true);

        // Sound: pinned for as long as the owner lives, which this object keeps.
        fixed (byte* bytes = array)
        {
            _bytes = bytes;
        }

        _owner = array;
        Length = length;
    }

    /// <summary>A part of memory that <paramref name="owner"/> keeps until nobody uses this any more.</summary>
    internal WireBuffer(byte* bytes, int length, object owner)
    {
        _bytes = bytes;
        _owner = owner;
        Length = length;
    }

    internal int Length { get; }

    /// <summary>All of it.</summary>
    // Sound: the length is that of the memory, which the owner keeps.
    internal Span<byte> Span => new(_bytes, Length);

    internal Span<byte> AsSpan(int start) => Span[start..];

    internal Span<byte> AsSpan(int start, int length) => Span.Slice(start, length);

    /// <inheritdoc/>
    public override string ToString() => $"{Length} bytes of {_owner}";
}
