using System.Net.Sockets;
using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.VfioUser;
using Vgpu.VfioUser.Messages;
using Vgpu.VfioUser.Server;

namespace Vgpu.Fuzz.Targets;

/// <summary>
/// All that a client says, as bytes with descriptors of symbolic kinds: a byte of options, then pieces, each the number of
/// its descriptors, their kinds, its length in two bytes, and its bytes. The server has each piece in a read of its own or
/// joined with others, as the kernel does it, and all of them before it begins.
/// </summary>
internal sealed class SessionTarget : IFuzzTarget
{
    private const int MostPieces = 48;
    private const int MostBytes = 48 << 10;
    private const long MostAllocated = 64 << 20;
    private const byte Introduced = 1;
    private const byte Twin = 2;

    private static readonly VfioUserServerOptions _options = new() { ClientMemoryTimeout = TimeSpan.Zero, LargeMapSize = ulong.MaxValue };

    private readonly SessionDevice _device = new();
    private readonly OddDescriptors _odd = new();
    private readonly VfioUserConnection.ConnectionBuffers _buffers = new();
    private readonly byte[] _received = new byte[1 << 20];
    private readonly int[] _numbers = new int[UnixSocket.SCM_MAX_FD];
    private readonly HashSet<string> _sent = [];
    private readonly string[] _held = [];
    private int _lowest = -1;

    internal SessionTarget()
    {
        foreach (DescriptorKind kind in OddDescriptors.Kinds)
        {
            _sent.Add(new FileInfo($"/proc/self/fd/{_odd[kind].Number}").LinkTarget ?? string.Empty);
        }

        // Some conversations first: the runtime, and the signalling of eventfds, open files of their own once.
        foreach (byte[] seed in SessionSeeds.All)
        {
            Run(seed);
        }

        _held = Held();
    }

    public string Name => "session";

    public IEnumerable<byte[]> Seeds => SessionSeeds.All;

    public void Run(ReadOnlySpan<byte> input)
    {
        long allocated = GC.GetTotalAllocatedBytes();
        var log = new ListLogger();
        List<VfioUserHeader> sent;
        List<VfioUserHeader> replies;
        var (near, far) = UnixSocket.Pair();
        using (var counted = new UnixSocketPeer(far))
        using (var connection = new VfioUserConnection(near, _device, "fuzz", log, _options, new VfioUserCounters(_device.Regions.Count), new LogGate(), _buffers))
        {
            sent = Say(far, input);
            connection.Start();
            replies = Listen(far);
            FindingException.Require(connection.WaitForEnd(TimeSpan.FromSeconds(10)), "the connection does not end");
        }

        FindingException.Require(log.Count("the device failed") == 0, $"an exception escaped: {string.Join(' ', log.Lines)}");
        CheckReplies(sent, replies, log);
        FindingException.Require(_device.Opens == _device.Closes, "the device is still open");
        FindingException.Require(_device.Assigned == 0, "eventfds are left");
        FindingException.Require(_device.Iommu is { MapCount: 0, MappedFileCount: 0, IsDirtyTracked: false, ClientMemory: null }, "maps are left");
        FindingException.Require(_device.Migration.IsRunning, "the device does not run");
        FindingException.Require(GC.GetTotalAllocatedBytes() - allocated < MostAllocated, "it allocates without end");
        // Where the lowest free number is the same, no descriptor has stayed in a lower one: look closer only where it is not.
        using FileDescriptor probe = _odd[DescriptorKind.Null].Duplicate();
        if (probe.Number == _lowest)
        {
            return;
        }

        _lowest = probe.Number;
        probe.Dispose();
        string[] held = Held();
        FindingException.Require(_held.Length == 0 || held.Length <= _held.Length, $"held: {string.Join(' ', held)} instead of {string.Join(' ', _held)}");
    }

    public void Dispose()
    {
        _device.Dispose();
        _odd.Dispose();
    }

    // Says everything and then that this was all; the headers as they lie in the stream.
    private List<VfioUserHeader> Say(UnixSocket socket, ReadOnlySpan<byte> input)
    {
        var reader = new InputReader(input);
        var stream = new List<byte>();
        byte options = reader.Byte();
        if ((options & Introduced) != 0)
        {
            byte[] version = SessionSeeds.Version((options & Twin) != 0);
            stream.AddRange(version);
            _ = socket.Send(version);
        }

        Span<int> numbers = stackalloc int[16];
        for (int piece = 0; piece < MostPieces && stream.Count < MostBytes && !reader.IsEnd; piece++)
        {
            int count = reader.Byte() & 15;
            for (int i = 0; i < count; i++)
            {
                var kind = (DescriptorKind)(reader.Byte() % (OddDescriptors.Kinds.Count + 1));
                numbers[i] = (kind == DescriptorKind.Own ? socket.Descriptor : _odd[kind]).Number;
            }

            ReadOnlySpan<byte> bytes = reader.Bytes(reader.UInt16() & 0xfff);
            if (!bytes.IsEmpty)
            {
                stream.AddRange(bytes);
                _ = socket.Send(bytes, default, numbers[..count]);
            }
        }

        return Headers([.. stream]);
    }

    // Every message from the server, until it hangs up. What it asks of the client is never answered.
    private List<VfioUserHeader> Listen(UnixSocket socket)
    {
        using (var end = new Socket(new SafeSocketHandle(socket.Descriptor.Number, ownsHandle: false)))
        {
            end.Shutdown(SocketShutdown.Send);
        }

        var replies = new List<VfioUserHeader>();
        int held = 0;
        while (true)
        {
            int received = socket.Receive(_received.AsSpan(held), _numbers, out int count, out _);
            foreach (int number in _numbers.AsSpan(0, count))
            {
                new FileDescriptor(number).Dispose();
            }

            if (received == 0)
            {
                FindingException.Require(held == 0, "the server ended in the middle of a message");
                return replies;
            }

            held += received;
            int done = 0;
            while (MemoryMarshal.TryRead(_received.AsSpan(done, held - done), out VfioUserHeader header))
            {
                FindingException.Require(header.MessageSize is >= VfioUserHeader.Length and <= VfioUserLimits.MaxMessageSize, "the server sent an impossible size");
                if (held - done < (int)header.MessageSize)
                {
                    break;
                }

                done += (int)header.MessageSize;
                replies.Add(header);
            }

            _received.AsSpan(done, held - done).CopyTo(_received);
            held -= done;
        }
    }

    // The server answers in order, once each, or it ends the conversation and says why.
    private static void CheckReplies(List<VfioUserHeader> sent, List<VfioUserHeader> received, ListLogger log)
    {
        List<VfioUserHeader> asked = [.. sent.Where(h => h.Type != VfioUserFlags.VFIO_USER_REPLY && !h.NoReply)];
        List<VfioUserHeader> replies = [.. received.Where(h => h.Type == VfioUserFlags.VFIO_USER_REPLY)];
        FindingException.Require(replies.Count <= asked.Count, "more replies than requests");
        for (int i = 0; i < replies.Count; i++)
        {
            FindingException.Require(
                (replies[i].MessageId, replies[i].Command) == (asked[i].MessageId, asked[i].Command),
                $"reply {i} is to {replies[i].Command} instead of {asked[i].Command}");
        }

        // So many lines that the gate kept the last one back say nothing.
        bool told = log.Count("closed the connection") > 0 || log.Lines.Count >= LogGate.Burst;
        FindingException.Require(replies.Count == asked.Count || told, $"{replies.Count} replies to {asked.Count} requests, and no reason why");
    }

    private static List<VfioUserHeader> Headers(ReadOnlySpan<byte> stream)
    {
        var headers = new List<VfioUserHeader>();
        while (MemoryMarshal.TryRead(stream, out VfioUserHeader header)
            && header.MessageSize is >= VfioUserHeader.Length and <= VfioUserLimits.MaxMessageSize && header.MessageSize <= stream.Length)
        {
            headers.Add(header);
            stream = stream[(int)header.MessageSize..];
        }

        return headers;
    }

    // Sockets, eventfds and memory files, whose ever they are, and what a client may have sent: the runtime has pipes of its own.
    private string[] Held() =>
    [
        .. Directory.GetFileSystemEntries("/proc/self/fd")
            .Select(path => new FileInfo(path).LinkTarget ?? string.Empty)
            .Where(link => _sent.Contains(link) || link.StartsWith("socket:", StringComparison.Ordinal) || link == "anon_inode:[eventfd]"),
    ];

    private sealed class UnixSocketPeer(UnixSocket socket) : IDisposable
    {
        public void Dispose() => socket.Dispose();
    }
}
