using System.Buffers.Binary;

namespace Vgpu.Viewers.Png;

// What is written becomes IDAT chunks of at most 64 KiB (W3C PNG 3rd edition, 5.3 and 11.2.3), or, for the later pictures of
// an animation, fdAT chunks, which begin with their number (11.3.6.3).
internal sealed class PngChunkStream(Stream target, Func<uint>? nextNumber = null) : Stream
{
    private const int ChunkSize = 65_536;
    private readonly byte[] _buffer = new byte[ChunkSize];
    private readonly int _start = nextNumber is null ? 0 : sizeof(uint);
    private int _length = nextNumber is null ? 0 : sizeof(uint);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    internal static void WriteChunk(Stream target, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        target.Write(number);
        target.Write(type);
        target.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc32.Append(Crc32.Append(0, type), data));
        target.Write(number);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            int step = Math.Min(buffer.Length, ChunkSize - _length);
            buffer[..step].CopyTo(_buffer.AsSpan(_length));
            _length += step;
            buffer = buffer[step..];
            if (_length == ChunkSize)
            {
                WriteOut();
            }
        }
    }

    // A flush in the middle would only make more chunks.
    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && _length != _start)
        {
            WriteOut();
        }

        base.Dispose(disposing);
    }

    private void WriteOut()
    {
        if (nextNumber is not null)
        {
            BinaryPrimitives.WriteUInt32BigEndian(_buffer, nextNumber());
        }

        WriteChunk(target, nextNumber is null ? "IDAT"u8 : "fdAT"u8, _buffer.AsSpan(0, _length));
        _length = _start;
    }
}
