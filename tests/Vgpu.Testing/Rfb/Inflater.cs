using System.IO.Compression;

namespace Vgpu.Testing.Rfb;

/// <summary>A zlib stream that is given piece by piece.</summary>
internal sealed class Inflater : Stream
{
    private readonly ZLibStream _zlib;
    private byte[] _pieces = [];
    private byte[] _taken = [];
    private int _at;
    private int _end;

    internal Inflater() => _zlib = new ZLibStream(this, CompressionMode.Decompress, leaveOpen: true);

    // The mark at a piece's end may be left from before: it gives no bytes that anybody waited for.
    internal void Feed(ReadOnlySpan<byte> piece)
    {
        int left = _end - _at;
        if (_pieces.Length < left + piece.Length)
        {
            Array.Resize(ref _pieces, left + piece.Length + _at);
        }

        _pieces.AsSpan(_at, left).CopyTo(_pieces);
        piece.CopyTo(_pieces.AsSpan(left));
        (_at, _end) = (0, left + piece.Length);
    }

    /// <summary>Lent until the next call.</summary>
    internal Span<byte> Take(int length)
    {
        if (_taken.Length < length)
        {
            _taken = new byte[length];
        }

        _zlib.ReadExactly(_taken, 0, length);
        return _taken.AsSpan(0, length);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        int step = Math.Min(count, _end - _at);
        _pieces.AsSpan(_at, step).CopyTo(buffer.AsSpan(offset));
        _at += step;
        return step;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
