using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Vgpu.Testing.Rfb;

/// <summary>A connection, as the protocol reads and writes it.</summary>
internal sealed class Wire : IDisposable
{
    private readonly Lock _sending = new();
    private readonly byte[] _buffer = new byte[65_536];
    private readonly Socket _socket;
    private byte[] _lent = [];
    private int _at;
    private int _end;
    private long _received;

    internal Wire(EndPoint address)
    {
        bool isTcp = address is IPEndPoint;
        _socket = new Socket(address.AddressFamily, SocketType.Stream, isTcp ? ProtocolType.Tcp : ProtocolType.Unspecified) { ReceiveTimeout = 20_000, SendTimeout = 20_000 };
        if (isTcp)
        {
            _socket.NoDelay = true;
        }

        _socket.Connect(address);
        Stream = new NetworkStream(_socket);
    }

    /// <summary>Exchanged where TLS begins, when nothing more is on its way.</summary>
    internal Stream Stream { get; set; }

    /// <summary>How many bytes came, read or not; any thread.</summary>
    internal long Received => Interlocked.Read(ref _received);

    internal byte U8() => Some(1)[0];

    internal ushort U16() => BinaryPrimitives.ReadUInt16BigEndian(Some(2));

    internal uint U32() => BinaryPrimitives.ReadUInt32BigEndian(Some(4));

    internal byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        Read(bytes);
        return bytes;
    }

    /// <summary>The same, lent until the next call.</summary>
    internal Span<byte> Lend(int length)
    {
        if (_lent.Length < length)
        {
            _lent = new byte[length];
        }

        Span<byte> bytes = _lent.AsSpan(0, length);
        Read(bytes);
        return bytes;
    }

    /// <summary>Whole messages: any thread.</summary>
    internal void Send(params ReadOnlySpan<byte> bytes)
    {
        lock (_sending)
        {
            Stream.Write(bytes);
        }
    }

    internal static byte[] B16(params int[] values) => [.. values.SelectMany(v => new[] { (byte)(v >> 8), (byte)v })];

    internal static byte[] B32(params long[] values) => [.. values.SelectMany(v => new[] { (byte)(v >> 24), (byte)(v >> 16), (byte)(v >> 8), (byte)v })];

    private void Read(Span<byte> bytes)
    {
        int has = Math.Min(bytes.Length, _end - _at);
        _buffer.AsSpan(_at, has).CopyTo(bytes);
        _at += has;
        Stream.ReadExactly(bytes[has..]);
        Interlocked.Add(ref _received, bytes.Length - has);
    }

    // Few bytes, out of what was read ahead.
    private ReadOnlySpan<byte> Some(int length)
    {
        if (_end - _at < length)
        {
            _buffer.AsSpan(_at, _end - _at).CopyTo(_buffer);
            (_at, _end) = (0, _end - _at);
            int read = Stream.ReadAtLeast(_buffer.AsSpan(_end), length - _end);
            _end += read;
            Interlocked.Add(ref _received, read);
        }

        _at += length;
        return _buffer.AsSpan(_at - length, length);
    }

    /// <summary>Whatever was still on its way is read; then the end comes.</summary>
    internal void AssertClosed()
    {
        var bytes = new byte[65_536];
        try
        {
            while (Stream.Read(bytes) > 0)
            {
            }
        }
        catch (IOException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset or SocketError.Shutdown })
        {
            // Closed with bytes of ours unread.
        }
    }

    public void Dispose()
    {
        Stream.Dispose();
        _socket.Dispose();
    }
}
