using System.Net.WebSockets;
using Vgpu.Viewers.Web;

namespace Vgpu.Fuzz.Targets;

/// <summary>
/// All that a browser says on a WebSocket: a byte for how much is read at a time, then frames as they lie in the stream. What
/// is read must be what a second reader of RFC 6455, the plainest that can be, finds there.
/// </summary>
internal sealed class WebSocketTarget : IFuzzTarget
{
    private const long MostAllocated = 8 << 20;

    private static readonly byte[] s_hello = "RFB 003.008\n"u8.ToArray();

    public string Name => "websocket";

    public IEnumerable<byte[]> Seeds =>
    [
        [200, .. Frame(0x82, s_hello), .. Frame(0x82, [1]), .. Frame(0x88, [3, 232])],
        [3, .. Frame(0x02, s_hello), .. Frame(0x00, []), .. Frame(0x89, [7, 7]), .. Frame(0x80, [9]), .. Frame(0x82, [])],
        [64, .. Frame(0x82, new byte[200]), .. Frame(0x8a, []), .. Frame(0x81, [65])],
        [1, .. Frame(0x82, [1, 2, 3])[..^1]],
        [9, 0x82, 5, 1, 2, 3, 4, 5],
        [9, 0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6],
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        long allocated = GC.GetTotalAllocatedBytes();
        var reader = new InputReader(input);
        var buffer = new byte[reader.Byte() + 1];
        byte[] said = input.IsEmpty ? [] : input[1..].ToArray();
        var read = new List<byte>();
        using var line = new Line(said);
        using var socket = WebSocket.CreateFromStream(line, new WebSocketCreationOptions { IsServer = true });
        using (var stream = new BoundedWebSocketStream(socket))
        {
            int count;
            while ((count = stream.Read(buffer, 0, buffer.Length)) > 0)
            {
                read.AddRange(buffer.AsSpan(0, count));
                FindingException.Require(read.Count <= said.Length, "more was read than was said");
            }

            FindingException.Require(stream.Read(buffer, 0, buffer.Length) == 0, "it goes on after its end");
            (List<byte> expected, bool isClean) = WebSocketFrames.Read(said);
            FindingException.Require(read.Count <= expected.Count && expected.Take(read.Count).SequenceEqual(read), "other bytes were read than were said");
            FindingException.Require(!isClean || read.Count == expected.Count, $"{read.Count} bytes were read of {expected.Count}");
            FindingException.Require(!isClean || stream.Offence is null, "it took offence at nothing");
            stream.Close(WebSocketCloseStatus.NormalClosure, "over", TimeSpan.FromSeconds(10)).GetAwaiter().GetResult();
        }

        FindingException.Require(GC.GetTotalAllocatedBytes() - allocated < MostAllocated, "it allocates without end");
    }

    public void Dispose()
    {
    }

    private static byte[] Frame(byte first, byte[] payload)
    {
        byte[] length = payload.Length < 126 ? [(byte)(0x80 | payload.Length)] : [0xfe, (byte)(payload.Length >> 8), (byte)payload.Length];
        byte[] mask = [0x11, 0x22, 0x33, 0x44];
        return [first, .. length, .. mask, .. payload.Select((value, index) => (byte)(value ^ mask[index % 4]))];
    }

    // A connection whose peer has said all already, and takes whatever it is told.
    private sealed class Line(byte[] said) : MemoryStream(said, writable: false)
    {
        public override bool CanWrite => true;

        public override void Write(byte[] buffer, int offset, int count)
        {
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.CompletedTask;

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
