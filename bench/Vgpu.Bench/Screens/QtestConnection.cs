using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Vgpu.Bench.Screens;

/// <summary>QEMU's qtest protocol (its docs/devel/testing/qtest.rst): ports and memory of a machine whose processor stands still, line by line.</summary>
internal sealed class QtestConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly StreamReader _reader;

    internal QtestConnection(string path)
    {
        _socket.Connect(new UnixDomainSocketEndPoint(path));
        _reader = new StreamReader(new NetworkStream(_socket), Encoding.ASCII);
    }

    internal Lock Lock { get; } = new();

    internal ulong Read(ulong address, int width) => Ask($"read{Width(width)} 0x{address:x}");

    internal void Write(ulong address, int width, ulong value) => _ = Ask($"write{Width(width)} 0x{address:x} 0x{value:x}");

    internal uint In(int port, int width) => (uint)Ask($"in{Width(width)} 0x{port:x}");

    internal void Out(int port, int width, uint value) => _ = Ask($"out{Width(width)} 0x{port:x} 0x{value:x}");

    public void Dispose()
    {
        _reader.Dispose();
        _socket.Dispose();
    }

    private static char Width(int bytes) => bytes switch { 1 => 'b', 2 => 'w', 4 => 'l', _ => 'q' };

    private ulong Ask(string line)
    {
        _ = _socket.Send(Encoding.ASCII.GetBytes(line + "\n"));
        string answer = _reader.ReadLine() ?? throw new BenchmarkException("QEMU ended");
        string[] words = answer.Split(' ');
        return words[0] != "OK" ? throw new BenchmarkException($"QEMU answers '{answer}' to '{line}'")
            : words.Length > 1 ? ulong.Parse(words[1].AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            : 0;
    }
}
