using System.Runtime.InteropServices;

namespace Vgpu.Vfio.Migration;

/// <summary>
/// A saved state as it is loaded. It comes from a client: every read throws <see cref="InvalidDataException"/> where too
/// little is left, and what is read is a copy that nobody changes. Not thread-safe.
/// </summary>
public sealed class StateReader
{
    private readonly ArraySegment<byte>[] _pieces;
    private int _piece;
    private int _offset;

    internal StateReader(ArraySegment<byte>[] pieces, long length, bool isCheckpoint)
    {
        _pieces = pieces;
        Left = length;
        IsCheckpoint = isCheckpoint;
    }

    /// <summary>As <see cref="StateWriter.IsCheckpoint"/> was when it was written.</summary>
    public bool IsCheckpoint { get; }

    /// <summary>Bytes that were not read yet.</summary>
    public long Left { get; private set; }

    /// <summary>The next structure or number.</summary>
    public T Read<T>()
        where T : unmanaged
    {
        T value = default;
        Read(MemoryMarshal.AsBytes(new Span<T>(ref value)));
        return value;
    }

    /// <summary>The next bytes, as many as fit.</summary>
    public void Read(Span<byte> bytes)
    {
        Require(bytes.Length <= Left, "the state ends too early");
        Left -= bytes.Length;
        while (!bytes.IsEmpty)
        {
            ArraySegment<byte> piece = _pieces[_piece];
            int part = Math.Min(bytes.Length, piece.Count - _offset);
            piece.AsSpan(_offset, part).CopyTo(bytes);
            bytes = bytes[part..];
            _offset += part;
            if (_offset == piece.Count)
            {
                _piece++;
                _offset = 0;
            }
        }
    }

    /// <summary>Throws where a value of the state can't be.</summary>
    public static void Require(bool condition, string what)
    {
        if (!condition)
        {
            throw new InvalidDataException(what);
        }
    }
}
