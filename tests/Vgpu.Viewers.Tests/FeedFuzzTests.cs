using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Viewers.Feed;

namespace Vgpu.Viewers.Tests;

// True conversations with some of their bytes changed, cut anywhere, from seeds: each ends or is answered, nothing is
// left open, and the next client is served.
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
[SuppressMessage("Design", "CA1001", Justification = "Disposed by xunit.")]
public sealed class FeedFuzzTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Screen _screen = new(2, new DisplayMode(1280, 800));
    private readonly Surface _surface = Surface.Create("feed", 16, 16, PixelFormat.R8G8B8A8);
    private readonly ScreenFeedServer _server;
    private readonly string _path;

    public FeedFuzzTests()
    {
        _path = _folder.File("a.screen");
        _screen.Heads[0].SetSurface(_surface);
        _server = new ScreenFeedServer(_path, _screen, NullLogger.Instance) { Patience = TimeSpan.FromMilliseconds(50) };
        _server.Start();
    }

    public void Dispose()
    {
        _server.Dispose();
        _surface.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(1)]
    public void Changed_conversations_do_no_harm(int seed) => Converse(seed, Campaign.Short());

    [Theory]
    [Trait("Length", "long")]
    [InlineData(101)]
    public void Changed_conversations_do_no_harm_for_long(int seed) => Converse(seed, Campaign.Long());

    private void Converse(int seed, Campaign campaign)
    {
        var random = new Random(seed);
        byte[] interesting = [0, 0, 0, 1, 2, 3, 4, 16, 64, 65, 127, 128, 255];
        AssertServes();
        int before = OwnDescriptors.Count("/memfd:vgpu-snapshot", "socket:");
        while (campaign.Next())
        {
            byte[] bytes = Conversation(random);
            for (int i = random.Next(4); i > 0; i--)
            {
                bytes[random.Next(bytes.Length)] = interesting[random.Next(interesting.Length)];
            }

            using UnixSocket socket = UnixSocket.Connect(_path);
            int cut = random.Next(bytes.Length + 1);
            _ = socket.Send(bytes.AsSpan(0, cut), default, random.Next(20) == 0 ? [_surface.File.Number] : []);
            _ = socket.Send(bytes.AsSpan(cut));
            if (random.Next(2) == 0)
            {
                Drain(socket);
            }

            if (campaign.Rounds % 64 == 0)
            {
                AssertServes();
            }
        }

        AssertServes();

        // The server closes its end a moment after we closed ours.
        for (int i = 0; i < 100 && OwnDescriptors.Count("/memfd:vgpu-snapshot", "socket:") > before; i++)
        {
            AssertServes();
        }

        Assert.InRange(OwnDescriptors.Count("/memfd:vgpu-snapshot", "socket:"), 0, before);
    }

    private static byte[] Conversation(Random random)
    {
        var bytes = new List<byte>();
        Add(bytes, FeedProtocol.FEED_HELLO, FeedProtocol.BytesOf(new FeedHello { Magic = FeedProtocol.Magic, Major = FeedProtocol.MajorVersion }));
        for (int i = random.Next(4); i > 0; i--)
        {
            if (random.Next(2) == 0)
            {
                Add(bytes, FeedProtocol.FEED_LIST_HEADS, []);
            }
            else
            {
                Add(bytes, FeedProtocol.FEED_SNAPSHOT, FeedProtocol.BytesOf(new FeedSnapshotRequest { Head = (uint)random.Next(3), Flags = (uint)random.Next(2) }));
            }
        }

        return [.. bytes];
    }

    private static void Add(List<byte> bytes, ushort type, ReadOnlySpan<byte> payload)
    {
        bytes.AddRange(FeedProtocol.BytesOf(new FeedHeader { Type = type, Id = 7, Length = (uint)payload.Length }));
        bytes.AddRange(payload);
    }

    // Until the server, which has patience for a moment only, ends it.
    private static void Drain(UnixSocket socket)
    {
        var bytes = new byte[4096];
        var numbers = new int[4];
        while (socket.Receive(bytes, numbers, out int count, out _) > 0)
        {
            foreach (int number in numbers.AsSpan(0, count))
            {
                new FileDescriptor(number).Dispose();
            }
        }
    }

    private void AssertServes()
    {
        using ScreenFeedClient client = ScreenFeedClient.Connect(_path, TimeSpan.FromSeconds(20));
        Assert.NotNull(client.Capture(0, withCursor: true));
    }
}
