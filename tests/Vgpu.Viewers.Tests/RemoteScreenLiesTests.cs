using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Viewers.Feed;
using static Vgpu.Viewers.Tests.LyingFeed;

namespace Vgpu.Viewers.Tests;

// The mirror of a worker that lies: it shows nothing that could fault, ends the conversation, and looks for a better one.
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class RemoteScreenLiesTests
{
    public static TheoryData<string> FrameLies => ["no file", "wide", "tall", "flat", "stride", "length", "longer than its file", "not memory", "a socket", "unsealed",
        "two files", "many rectangles", "missing rectangles", "short", "no preferred mode", "preferred beyond", "refresh", "huge message", "another id", "another type"];

    [Theory]
    [MemberData(nameof(FrameLies))]
    public void A_frame_that_can_not_be_ends_the_conversation_and_the_next_is_shown(string lie)
    {
        using var folder = new TemporaryFolder();
        using var worker = new LyingFeed(folder.File("a.screen"));
        using FileDescriptor unsealed = MemFd.Create("lie", 8192, Seals.F_SEAL_GROW);
        using FileDescriptor device = FileDescriptor.OpenRead("/dev/zero");
        (UnixSocket end, UnixSocket otherEnd) = UnixSocket.Pair();
        int lies = 0;
        worker.Lie = (request, payload) =>
        {
            bool isPicture = request.Type == FeedProtocol.FEED_FRAME && MemoryMarshal.Read<FeedFrameRequest>(payload).Flags != 0;
            return isPicture && Interlocked.Increment(ref lies) <= 2 ? Make(lie, worker, unsealed.Number, device.Number, end.Descriptor.Number) : null;
        };
        using (end)
        using (otherEnd)
        using (RemoteScreen mirror = RemoteScreen.Connect(folder.File("a.screen"), NullLogger.Instance))
        using (var watcher = new Watcher(mirror.Screen.Heads[0]))
        {
            // Two conversations were ended; the third is as it should be.
            watcher.Holds(() => mirror.Screen.Heads[0] is { State: { Width: 64, Height: 32 }, Cursor.Image.Width: 16 }, "an honest frame and its cursor");
            Assert.Equal(3, worker.Conversations);
            Assert.Equal(1, watcher.Surfaces);
        }
    }

    private static Reply Make(string lie, LyingFeed worker, int unsealed, int device, int socket)
    {
        FeedFrame frame = TrueFrame;
        byte[] payload = Bytes(frame);
        switch (lie)
        {
            case "no file": return new Reply(payload);
            case "not memory": return new Reply(payload, device);
            case "a socket": return new Reply(payload, socket);
            case "unsealed": return new Reply(payload, unsealed);
            case "two files": return new Reply(payload, unsealed, unsealed);
            case "short": return new Reply(payload[..60]);
            case "huge message": return worker.Honest(payload) with { Length = uint.MaxValue };
            case "another id": return worker.Honest(payload) with { Id = 0 };
            case "another type": return worker.Honest(payload) with { Type = 9 | FeedProtocol.FEED_REPLY };
            case "wide": (frame.Width, frame.Stride, frame.Length) = (0x40000001, 4, 128); break;
            case "tall": (frame.Height, frame.Length) = (16_385, 16_385 * 256); break;
            case "flat": (frame.Height, frame.Length) = (0, 0); break;
            case "stride": frame.Stride = 255; break;
            case "length": frame.Length = 8191; break;
            case "longer than its file": (frame.Height, frame.Length) = (33, 8448); break;
            case "many rectangles": frame.RectCount = 33; break;
            case "missing rectangles": frame.RectCount = 1; break;
            case "no preferred mode": frame.PreferredWidth = 0; break;
            case "preferred beyond": frame.PreferredHeight = 16_385; break;
            case "refresh": frame.RefreshHertz = uint.MaxValue; break;
        }

        return worker.Honest(Bytes(frame));
    }

    public static TheoryData<string> CursorLies => ["no file", "wide", "flat", "length", "short", "writable", "longer than its file"];

    [Theory]
    [MemberData(nameof(CursorLies))]
    public void A_cursor_that_can_not_be_ends_the_conversation(string lie)
    {
        using var folder = new TemporaryFolder();
        using var worker = new LyingFeed(folder.File("a.screen"));
        using FileDescriptor writable = MemFd.Create("lie", 8192);
        int lies = 0;
        worker.Lie = (request, _) =>
        {
            if (request.Type != FeedProtocol.FEED_CURSOR || Interlocked.Increment(ref lies) > 1)
            {
                return null;
            }

            FeedCursor cursor = TrueCursor;
            switch (lie)
            {
                case "no file": return new Reply(Bytes(cursor));
                case "short": return worker.Honest(Bytes(cursor)[..39]);
                case "writable": return new Reply(Bytes(cursor), writable.Number);
                case "wide": (cursor.Width, cursor.Length) = (513, 513 * 64); break;
                case "flat": (cursor.Height, cursor.Length) = (0, 0); break;
                case "length": cursor.Length = 1023; break;
                case "longer than its file": (cursor.Width, cursor.Height, cursor.Length) = (64, 64, 16_384); break;
            }

            return worker.Honest(Bytes(cursor));
        };
        using RemoteScreen mirror = RemoteScreen.Connect(folder.File("a.screen"), NullLogger.Instance);
        using var watcher = new Watcher(mirror.Screen.Heads[0]);
        watcher.Holds(() => mirror.Screen.Heads[0].Cursor.Image is { Width: 16 }, "an honest cursor");
        Assert.Equal(2, worker.Conversations);
    }

    public static TheoryData<string> Greetings => ["too old", "no heads", "seventeen", "order", "mode", "largest", "silence"];

    [Theory]
    [MemberData(nameof(Greetings))]
    public void A_feed_that_can_not_be_mirrored_is_refused(string lie)
    {
        using var folder = new TemporaryFolder();
        using var worker = new LyingFeed(folder.File("a.screen"));
        var head = new FeedHead { PreferredWidth = 640, PreferredHeight = 480, RefreshHertz = 60 };
        worker.Lie = (request, _) => request.Type switch
        {
            FeedProtocol.FEED_HELLO when lie == "too old" => new Reply(Bytes(new FeedHello { Magic = FeedProtocol.Magic, Major = 1 })),
            FeedProtocol.FEED_LIST_HEADS when lie != "too old" => lie switch
            {
                "no heads" => new Reply([]),
                "seventeen" => new Reply([.. Enumerable.Range(0, 17).SelectMany(i => Bytes(head with { Index = (uint)i }))]),
                "order" => new Reply(Bytes(head with { Index = 1 })),
                "mode" => new Reply(Bytes(head with { PreferredWidth = 0x80000001 })),
                "largest" => new Reply(Bytes(head with { MaxWidth = 65_535, MaxHeight = 1 })),
                _ => new Reply([]) { Type = 16 },
            },
            _ => null,
        };
        ScreenFeedException e = Assert.Throws<ScreenFeedException>(
            () => RemoteScreen.Connect(folder.File("a.screen"), NullLogger.Instance, TimeSpan.FromMilliseconds(lie == "silence" ? 100 : 5000)));
        Assert.Equal(lie switch { "too old" => Errno.ENOSYS, "silence" => Errno.ETIMEDOUT, _ => Errno.EPROTO }, e.Errno);
    }

    [Fact]
    public void Rectangles_from_anywhere_stay_within_the_surface()
    {
        using var folder = new TemporaryFolder();
        using var worker = new LyingFeed(folder.File("a.screen"));
        Rect[] rects = [new(-5, -5, 10, 10), new(int.MinValue, 0, int.MaxValue, 5), new(int.MaxValue, int.MaxValue, int.MaxValue, 1), new(0, 0, -1, -1)];
        worker.Lie = (request, payload) =>
        {
            if (request.Type != FeedProtocol.FEED_FRAME || MemoryMarshal.Read<FeedFrameRequest>(payload) is not { Serial: not 0 } asked)
            {
                return null;
            }

            FeedFrame frame = TrueFrame with { Flags = asked.Flags, RectCount = asked.Flags * (uint)rects.Length, CursorX = int.MinValue };
            return new Reply([.. Bytes(frame), .. asked.Flags == 0 ? [] : MemoryMarshal.AsBytes<Rect>(rects).ToArray()]);
        };
        using RemoteScreen mirror = RemoteScreen.Connect(folder.File("a.screen"), NullLogger.Instance);
        var damage = new Damage();
        using (mirror.Screen.Heads[0].Observe(damage))
        {
            Assert.True(damage.Came.Wait(TimeSpan.FromSeconds(60)));
        }

        Assert.Equal(new Rect(0, 0, 5, 5), damage.First);
    }

    private sealed class Damage : IHeadObserver
    {
        internal ManualResetEventSlim Came { get; } = new();

        internal Rect First { get; private set; }

        public void SurfaceChanged(Head head)
        {
        }

        public void Damaged(Head head, Rect rect)
        {
            if (!Came.IsSet)
            {
                First = rect;
                Came.Set();
            }
        }

        public void CursorChanged(Head head)
        {
        }
    }
}
