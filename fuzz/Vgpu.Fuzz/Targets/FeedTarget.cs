using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Viewers.Feed;

namespace Vgpu.Fuzz.Targets;

/// <summary>
/// All that a client of the screen feed says, while a device draws, as steps: a byte that says which, then what the step
/// needs. Whole requests with the numbers that make them valid, or any bytes.
/// </summary>
internal sealed class FeedTarget : IFuzzTarget
{
    private const int MostSteps = 64;
    private const int LargestSide = 40;
    private const long MostAllocated = 64 << 20;
    private const int LongWait = 1 << 20;

    private static readonly byte[] s_hello = FeedSeeds.Message(
        FeedProtocol.FEED_HELLO, FeedProtocol.BytesOf(new FeedHello { Magic = FeedProtocol.Magic, Major = FeedProtocol.MajorVersion }));

    private readonly Bell _bell = new();
    private readonly int _held;
    private long _now;

    internal FeedTarget()
    {
        foreach (byte[] seed in FeedSeeds.All)
        {
            Run(seed);
        }

        _held = Held();
    }

    public string Name => "feed";

    public IEnumerable<byte[]> Seeds => FeedSeeds.All;

    public void Run(ReadOnlySpan<byte> input)
    {
        long allocated = GC.GetTotalAllocatedBytes();
        var reader = new InputReader(input);
        var sink = new Sink();
        var screen = new Screen(2, new DisplayMode(640, 480), new DisplayMode(1024, 1024)) { Input = sink };
        _now = 0;
        using (var device = new FeedDevice(screen))
        using (var feed = new FeedScreen(screen, _bell) { Clock = () => _now, FrameMilliseconds = 0 })
        {
            (UnixSocket near, UnixSocket far) = UnixSocket.Pair();
            using (var client = new FeedAnswers(far, screen))
            {
                Converse(ref reader, new FeedConnection(near, feed), feed, client, device);
            }

            FindingException.Require(!screen.Heads[0].IsObserved && !screen.Heads[1].IsObserved, "a head is still observed");
        }

        FindingException.Require(!sink.Held.TryRelease(out _), "something is still pressed");
        FindingException.Require(GC.GetTotalAllocatedBytes() - allocated < MostAllocated, "it allocates without end");
        FindingException.Require(_held == 0 || Held() <= _held, "descriptors are left");
    }

    public void Dispose() => _bell.Dispose();

    private void Converse(ref InputReader reader, FeedConnection connection, FeedScreen feed, FeedAnswers client, FeedDevice device)
    {
        using (connection)
        {
            client.Say(s_hello);
            bool goesOn = Serve(connection, feed, client);
            for (int step = 0; goesOn && step < MostSteps && !reader.IsEnd; step++)
            {
                byte kind = reader.Byte();
                if ((kind & 1) == 0)
                {
                    device.Step((byte)(kind >> 1), reader.Byte(), reader.Byte(), reader.Byte(), reader.Byte(), LargestSide);
                }
                else if ((kind & 2) == 0)
                {
                    client.Ask((byte)(kind >> 2), ref reader);
                }
                else if ((kind & 4) == 0)
                {
                    client.Say(reader.Bytes(reader.Byte()));
                }
                else
                {
                    _now += LongWait;
                }

                goesOn = Serve(connection, feed, client);
            }
        }
    }

    // As the server's thread does it; false once it would drop the client.
    private bool Serve(FeedConnection connection, FeedScreen feed, FeedAnswers client)
    {
        while (PollIn(connection.Descriptor))
        {
            if (connection.Receive(out _) != Errno.None)
            {
                return false;
            }
        }

        feed.Collect();
        Errno error = connection.Tell(_now, out _);
        client.Read();
        return error == Errno.None;
    }

    private static bool PollIn(FileDescriptor descriptor)
    {
        var poll = new PollSet();
        poll.Add(descriptor, PollEvents.POLLIN);
        return poll.Wait(0);
    }

    private static int Held() => OwnDescriptors.Count("/memfd:vgpu-", "/memfd:fuzz", "socket:");

    private sealed class Sink : IInputSink
    {
        internal HeldInput Held { get; } = new();

        public void Send(ReadOnlySpan<InputEvent> events)
        {
            foreach (InputEvent input in events)
            {
                FindingException.Require(input.IsValid && input.Head < 2, "impossible input got through");
                Held.Note(input);
            }
        }
    }
}
