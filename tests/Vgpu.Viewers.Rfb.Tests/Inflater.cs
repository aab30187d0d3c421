using System.IO.Compression;

namespace Vgpu.Viewers.Rfb.Tests;

/// <summary>A zlib stream that is given piece by piece.</summary>
internal sealed class Inflater : Stream
{
    private readonly ZLibStream _zlib;
    private byte[] _piece = [];
    private int _at;

    internal Inflater() => _zlib = new ZLibStream(this, CompressionMode.Decompress, leaveOpen: true);

    internal void Feed(byte[] piece)
    {
        Assert.Equal(_piece.Length, _at);
        (_piece, _at) = (piece, 0);
    }

    internal byte[] Take(int length)
    {
        var bytes = new byte[length];
        _zlib.ReadExactly(bytes);
        return bytes;
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
        int step = Math.Min(count, _piece.Length - _at);
        _piece.AsSpan(_at, step).CopyTo(buffer.AsSpan(offset));
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
