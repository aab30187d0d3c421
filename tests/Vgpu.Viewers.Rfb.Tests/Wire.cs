using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Vgpu.Viewers.Rfb.Tests;

/// <summary>A connection, as the protocol reads and writes it.</summary>
internal sealed class Wire : IDisposable
{
    private readonly Socket _socket;

    internal Wire(IPEndPoint address)
    {
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 20_000, SendTimeout = 20_000 };
        _socket.Connect(address);
        Stream = new NetworkStream(_socket);
    }

    internal Stream Stream { get; set; }

    internal byte U8() => Bytes(1)[0];

    internal ushort U16() => BinaryPrimitives.ReadUInt16BigEndian(Bytes(2));

    internal uint U32() => BinaryPrimitives.ReadUInt32BigEndian(Bytes(4));

    internal byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        Stream.ReadExactly(bytes);
        return bytes;
    }

    internal void Send(params ReadOnlySpan<byte> bytes) => Stream.Write(bytes);

    internal static byte[] B16(params int[] values) => [.. values.SelectMany(v => new[] { (byte)(v >> 8), (byte)v })];

    internal static byte[] B32(params long[] values) => [.. values.SelectMany(v => new[] { (byte)(v >> 24), (byte)(v >> 16), (byte)(v >> 8), (byte)v })];

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
