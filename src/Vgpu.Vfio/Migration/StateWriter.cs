using System.Runtime.InteropServices;

namespace Vgpu.Vfio.Migration;

/// <summary>
/// A device's state as it is saved: fixed-layout structures and bytes, one after the other, in the host's byte order.
/// Kept in pieces, so that a large state needs no large block; a checkpoint's is written where it stays. Not thread-safe.
/// </summary>
public sealed unsafe class StateWriter
{
    private const int PieceLength = 1 << 20;

    private readonly Queue<ArraySegment<byte>> _pieces = new();
    private byte[] _last = [];
    private int _used;
    private int _taken;
    private byte* _room;
    private long _roomLength;

    /// <summary>
    /// Whether this is a checkpoint's: it leaves out what outlives the process elsewhere, such as memory BARs and pixels that
    /// the driver's memory holds, and what is raised anew when it is restored, such as interrupts.
    /// </summary>
    public bool IsCheckpoint => _room is not null;

    /// <summary>Bytes written so far.</summary>
    public long Length { get; private set; }

    /// <summary>Begins the state of a checkpoint, in memory that the caller keeps; what does not fit is counted only.</summary>
    internal void Begin(byte* room, long length)
    {
        _room = room;
        _roomLength = length;
        Length = 0;
    }

    /// <summary>Appends a structure or a number.</summary>
    public void Write<T>(in T value)
        where T : unmanaged => Write(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));

    /// <summary>Appends bytes; the reader must know how many.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (_room is not null)
        {
            if (bytes.Length <= _roomLength - Length)
            {
                // Sound: what was written and this fit the room.
                bytes.CopyTo(new Span<byte>(_room + Length, bytes.Length));
            }

            Length += bytes.Length;
            return;
        }

        Length += bytes.Length;
        while (!bytes.IsEmpty)
        {
            if (_used == _last.Length)
            {
                Seal();
                _last = GC.AllocateUninitializedArray<byte>(PieceLength);
            }

            int part = Math.Min(bytes.Length, _last.Length - _used);
            bytes[..part].CopyTo(_last.AsSpan(_used));
            _used += part;
            bytes = bytes[part..];
        }
    }

    /// <summary>Moves the next bytes out, up to the length of <paramref name="destination"/>; how many there were.</summary>
    public int Take(Span<byte> destination)
    {
        Seal();
        int taken = 0;
        while (taken < destination.Length && _pieces.TryPeek(out ArraySegment<byte> piece))
        {
            int part = Math.Min(destination.Length - taken, piece.Count - _taken);
            piece.AsSpan(_taken, part).CopyTo(destination[taken..]);
            taken += part;
            _taken += part;
            if (_taken == piece.Count)
            {
                _pieces.Dequeue();
                _taken = 0;
            }
        }

        Length -= taken;
        return taken;
    }

    /// <summary>All that was written, for a device to load.</summary>
    public StateReader ToReader() => ToReader(isCheckpoint: false);

    internal StateReader ToReader(bool isCheckpoint)
    {
        Seal();
        return new StateReader([.. _pieces], Length, isCheckpoint);
    }

    private void Seal()
    {
        if (_used > 0)
        {
            _pieces.Enqueue(new ArraySegment<byte>(_last, 0, _used));
        }

        _last = [];
        _used = 0;
    }
}
