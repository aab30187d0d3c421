using System.Buffers.Binary;
using Vgpu.Linux;

namespace Vgpu.Bench.Screens;

/// <summary>
/// A client of an X server's, over its Unix socket, as far as a painter needs: X Window System Protocol, version 11, and the
/// MIT-SHM extension, by which the server reads the pixels where they were painted, as a virtio-gpu does. One thread.
/// </summary>
internal sealed class XConnection : IDisposable
{
    private const int PacketLength = 32;
    private const int KeyPressEvent = 2;
    private const uint KeyPressMask = 1;

    private readonly UnixSocket _socket;
    private readonly byte[] _packet = new byte[PacketLength];
    private readonly uint _root;
    private readonly byte _depth;
    private readonly uint _ids;
    private readonly byte _sharedMemory;
    private int _presses;

    /// <summary>Connects, and asks for the keys that are pressed anywhere on the screen.</summary>
    internal XConnection(string path)
    {
        _socket = UnixSocket.Connect(path);
        Send([(byte)'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        byte[] head = Receive(8);
        byte[] setup = Receive(4 * BinaryPrimitives.ReadUInt16LittleEndian(head.AsSpan(6)));
        if (head[0] != 1)
        {
            throw new BenchmarkException($"the X server refuses: {System.Text.Encoding.Latin1.GetString(setup, 0, head[1])}");
        }

        _ids = Word(setup, 4);
        int vendor = (BinaryPrimitives.ReadUInt16LittleEndian(setup.AsSpan(16)) + 3) & ~3;
        int screen = 32 + vendor + (8 * setup[21]);
        (_root, _depth) = (Word(setup, screen), setup[screen + 38]);
        _sharedMemory = QueryExtension("MIT-SHM");
        Request(2, 0, _root, 0x800, KeyPressMask); // ChangeWindowAttributes: event-mask
        Request(55, 0, Graphics, _root, 0); // CreateGC
        Request(42, 1, 1, 0); // SetInputFocus: PointerRoot
        Sync();
    }

    private uint Graphics => _ids | 1;

    private uint Segment => _ids | 2;

    /// <summary>Lends the server a memory file to read pictures from.</summary>
    internal void Attach(FileDescriptor pixels)
    {
        byte[] request = new byte[12];
        (request[0], request[1]) = (_sharedMemory, 6); // ShmAttachFd
        BinaryPrimitives.WriteUInt16LittleEndian(request.AsSpan(2), 3);
        BinaryPrimitives.WriteUInt32LittleEndian(request.AsSpan(4), Segment);
        _ = _socket.Send(request, default, [pixels.Number]);
        Sync();
    }

    /// <summary>Puts a rectangle of the memory file's picture at the same place of the screen: ShmPutImage.</summary>
    internal void Put(int x, int y, int width, int height, int stride, int rows)
    {
        Span<byte> request = stackalloc byte[40];
        request.Clear();
        (request[0], request[1]) = (_sharedMemory, 3);
        BinaryPrimitives.WriteUInt16LittleEndian(request[2..], 10);
        BinaryPrimitives.WriteUInt32LittleEndian(request[4..], _root);
        BinaryPrimitives.WriteUInt32LittleEndian(request[8..], Graphics);
        ReadOnlySpan<int> shorts = [stride, rows, x, y, width, height, x, y];
        for (int i = 0; i < shorts.Length; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(request[(12 + (2 * i))..], (ushort)shorts[i]);
        }

        (request[28], request[29]) = (_depth, 2); // ZPixmap
        BinaryPrimitives.WriteUInt32LittleEndian(request[32..], Segment);
        Send(request);
    }

    /// <summary>Waits until the server has done all that it was asked: GetInputFocus, which it answers.</summary>
    internal void Sync()
    {
        Request(43, 0);
        while (!Read(out _))
        {
        }
    }

    /// <summary>How many keys were pressed since it was last asked.</summary>
    internal int TakePresses()
    {
        while (_socket.WaitReadable(0))
        {
            _ = Read(out _);
        }

        int presses = _presses;
        _presses = 0;
        return presses;
    }

    public void Dispose() => _socket.Dispose();

    private byte QueryExtension(string name)
    {
        byte[] request = new byte[8 + ((name.Length + 3) & ~3)];
        request[0] = 98;
        BinaryPrimitives.WriteUInt16LittleEndian(request.AsSpan(2), (ushort)(request.Length / 4));
        BinaryPrimitives.WriteUInt16LittleEndian(request.AsSpan(4), (ushort)name.Length);
        System.Text.Encoding.ASCII.GetBytes(name, request.AsSpan(8));
        Send(request);
        while (!Read(out _))
        {
        }

        return _packet[8] != 0 ? _packet[9] : throw new BenchmarkException($"the X server has no {name}");
    }

    // True: an answer to a request, which is in _packet; events are taken on the way.
    private bool Read(out byte kind)
    {
        Fill(_packet);
        kind = (byte)(_packet[0] & 0x7f);
        switch (kind)
        {
            case 0:
                throw new BenchmarkException($"the X server answers error {_packet[1]} to request {_packet[10]}");
            case 1:
                _ = Receive((int)(4 * Word(_packet, 4)));
                return true;
            case KeyPressEvent:
                _presses++;
                return false;
            default:
                return false;
        }
    }

    private void Request(byte code, byte detail, params ReadOnlySpan<uint> words)
    {
        Span<byte> request = stackalloc byte[4 + (4 * words.Length)];
        (request[0], request[1]) = (code, detail);
        BinaryPrimitives.WriteUInt16LittleEndian(request[2..], (ushort)(1 + words.Length));
        for (int i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(request[(4 + (4 * i))..], words[i]);
        }

        Send(request);
    }

    private void Send(ReadOnlySpan<byte> bytes)
    {
        if (_socket.Send(bytes) != Errno.None)
        {
            throw new BenchmarkException("the X server ended");
        }
    }

    private byte[] Receive(int length)
    {
        var bytes = new byte[length];
        Fill(bytes);
        return bytes;
    }

    private void Fill(Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int read = _socket.Receive(bytes, default, out _, out Errno error);
            if (read <= 0 || error != Errno.None)
            {
                throw new BenchmarkException("the X server ended");
            }

            bytes = bytes[read..];
        }
    }

    private static uint Word(byte[] bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));
}
