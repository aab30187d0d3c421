using System.IO.Compression;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// One zlib stream that goes on for as long as its viewer is there (RFC 6143, 7.7.6): what is written comes out whole at
/// every <see cref="Flush"/>. Not thread-safe; allocates nothing once it runs.
/// </summary>
internal sealed class Deflater : IDisposable
{
    private readonly Sink _sink = new();
    private readonly int _level;
    private ZLibStream _stream;

    internal Deflater(int level)
    {
        _level = level;
        _stream = Create();
    }

    /// <summary>Where the compressed bytes go from now on.</summary>
    internal OutputBuffer? Target
    {
        set => _sink.Target = value;
    }

    internal void Write(ReadOnlySpan<byte> bytes) => _stream.Write(bytes);

    internal void Flush() => _stream.Flush();

    /// <summary>Begins a new stream. What the old one has left goes nowhere.</summary>
    internal void Restart()
    {
        Dispose();
        _stream = Create();
    }

    public void Dispose()
    {
        _sink.Target = null;
        _stream.Dispose();
    }

    private ZLibStream Create() => new(_sink, new ZLibCompressionOptions { CompressionLevel = _level }, leaveOpen: true);

    private sealed class Sink : Stream
    {
        internal OutputBuffer? Target { get; set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Write(byte[] buffer, int offset, int count) => Target?.Bytes(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer) => Target?.Bytes(buffer);

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
