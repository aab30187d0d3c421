using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Viewers.Feed;
using static Vgpu.Viewers.Tests.FeedTalk;

namespace Vgpu.Viewers.Tests;

// What a server answers that is asked message by message: well, badly, and too often.
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
[SuppressMessage("Design", "CA1001", Justification = "Disposed by xunit.")]
public sealed class FeedFrameTests : IDisposable
{
    private const uint First = FeedProtocol.FEED_FRAME_PICTURE | FeedProtocol.FEED_FRAME_SURFACE | FeedProtocol.FEED_FRAME_STATE
        | FeedProtocol.FEED_FRAME_CURSOR_IMAGE | FeedProtocol.FEED_FRAME_CURSOR_PLACE;

    private readonly ScreenUnderTest _device = new(heads: 2, frameMilliseconds: 0);

    public void Dispose() => _device.Dispose();

    [Fact]
    public void The_first_frame_brings_a_shadow_that_only_the_server_writes()
    {
        using UnixSocket socket = Greet(_device.Path);
        AskFrame(socket, 0);
        FeedFrame frame = ReadFrame(socket, out Rect[] rects, out FileDescriptor? file);
        using (file)
        {
            Assert.Equal((First, 64u, 48u, 256u, 64UL * 48 * 4), (frame.Flags, frame.Width, frame.Height, frame.Stride, frame.Length));
            Assert.Equal([new Rect(0, 0, 64, 48)], rects);
            Assert.Equal(FeedProtocol.FEED_HEAD_CONNECTED, frame.HeadFlags);
            Assert.Equal((1280u, 800u, 60u), (frame.PreferredWidth, frame.PreferredHeight, frame.RefreshHertz));
            Seals all = Seals.F_SEAL_SHRINK | Seals.F_SEAL_GROW | Seals.F_SEAL_SEAL | Seals.F_SEAL_FUTURE_WRITE;
            Assert.Equal(all, MemFd.GetSeals(file!));
            Assert.Throws<LinuxException>(() => MemoryMapping.Share(file!, 0, 4096, MemoryProtection.ReadWrite));
            Assert.Throws<LinuxException>(() => file!.Truncate(0));
            using var mapping = MemoryMapping.Share(file!, 0, frame.Length, MemoryProtection.Read);
            Assert.True(_device.Head.Capture(withCursor: false)!.Pixels.Span.SequenceEqual(mapping.Span));

            // Never the memory that the device draws in.
            Assert.NotEqual(_device.Surface.File.Inspect().Identity, file!.Inspect().Identity);
        }
    }

    [Fact]
    public void Each_is_told_exactly_what_it_has_not_been_told()
    {
        using UnixSocket first = Greet(_device.Path);
        using UnixSocket second = Greet(_device.Path);
        ulong serial = FirstFrame(first);
        ulong other = FirstFrame(second);
        AskFrame(first, serial);
        Rect drawn = new(3, 4, 5, 6);
        _device.Draw(drawn);
        FeedFrame frame = ReadFrame(first, out Rect[] rects, out FileDescriptor? file);
        Assert.Null(file);
        Assert.Equal([drawn], rects);
        Assert.Equal(FeedProtocol.FEED_FRAME_PICTURE, frame.Flags);

        Rect more = new(40, 30, 7, 8);
        _device.Draw(more);
        AskFrame(first, frame.Serial);
        ReadFrame(first, out rects);
        Assert.Equal([more], rects);
        AskFrame(second, other);
        ReadFrame(second, out rects);
        Assert.Equivalent(new[] { drawn, more }, rects, strict: true);
    }

    [Fact]
    public void A_frame_waits_for_news_while_others_are_answered()
    {
        using UnixSocket socket = Greet(_device.Path);
        ulong serial = FirstFrame(socket);
        AskFrame(socket, serial);
        AskFrame(socket, 0, picture: false, head: 1);
        for (int i = 0; i < 3; i++)
        {
            Send(socket, FeedProtocol.FEED_LIST_HEADS, []);
            if (i == 0)
            {
                // The other head's first frame is news by itself.
                Assert.Equal(FeedProtocol.FEED_FRAME_STATE, ReadFrame(socket, out _).Flags);
            }

            FeedHeader header = ReadHeader(socket, out _);
            Assert.Equal(FeedProtocol.FEED_LIST_HEADS | FeedProtocol.FEED_REPLY, header.Type);
            ReadExactly(socket, (int)header.Length, out _);
        }

        _device.Head.MoveCursor(9, 8);
        FeedFrame frame = ReadFrame(socket, out Rect[] rects);
        Assert.Empty(rects);
        Assert.Equal((FeedProtocol.FEED_FRAME_PICTURE | FeedProtocol.FEED_FRAME_CURSOR_PLACE, 9, 8), (frame.Flags, frame.CursorX, frame.CursorY));
    }

    [Fact]
    public void A_frame_is_answered_when_its_patience_is_over_or_it_is_hurried()
    {
        using UnixSocket socket = Greet(_device.Path);
        ulong serial = FirstFrame(socket);
        AskFrame(socket, serial, patience: 20);
        FeedFrame frame = ReadFrame(socket, out Rect[] rects);
        Assert.Equal((FeedProtocol.FEED_FRAME_PICTURE, 0), (frame.Flags, rects.Length));
        Assert.NotEqual(serial, frame.Serial);
        AskFrame(socket, frame.Serial);
        Send(socket, FeedProtocol.FEED_HURRY, FeedProtocol.BytesOf(default(FeedHurry)));
        Assert.Equal(Errno.None, ReadErrno(socket, FeedProtocol.FEED_HURRY));
        FeedFrame hurried = ReadFrame(socket, out _);
        Assert.Equal((FeedProtocol.FEED_FRAME_PICTURE, 0u), (hurried.Flags, hurried.RectCount));
        Send(socket, FeedProtocol.FEED_HURRY, FeedProtocol.BytesOf(new FeedHurry { Head = 2 }));
        Assert.Equal(Errno.EINVAL, ReadErrno(socket, FeedProtocol.FEED_HURRY));
    }

    [Fact]
    public void Modes_are_told_to_who_wants_no_pictures_and_the_head_is_left_alone()
    {
        using UnixSocket socket = Greet(_device.Path);
        AskFrame(socket, 0, picture: false);
        FeedFrame frame = ReadFrame(socket, out _, out FileDescriptor? file);
        Assert.Null(file);
        Assert.Equal((FeedProtocol.FEED_FRAME_STATE, 64u, 48u), (frame.Flags, frame.Width, frame.Height));
        AskFrame(socket, frame.Serial, picture: false);
        _device.DrawSomewhere();
        _device.SetMode(31, 32);
        frame = ReadFrame(socket, out Rect[] rects);
        Assert.Equal((FeedProtocol.FEED_FRAME_STATE, 31u, 32u, 0), (frame.Flags, frame.Width, frame.Height, rects.Length));
        Assert.False(_device.Head.IsObserved);
        AskFrame(socket, frame.Serial, picture: false);
        _device.Head.SetConnected(false);
        Assert.Equal(0u, ReadFrame(socket, out _).HeadFlags);
    }

    [Fact]
    public void A_new_mode_is_a_new_shadow_and_darkness_none()
    {
        using UnixSocket socket = Greet(_device.Path);
        ulong serial = FirstFrame(socket);
        AskFrame(socket, serial);
        _device.SetMode(20, 10);
        FeedFrame frame = ReadFrame(socket, out Rect[] rects, out FileDescriptor? file);
        using (file)
        {
            Assert.Equal((20u, 10u, 800UL), (frame.Width, frame.Height, frame.Length));
            Assert.Equal([new Rect(0, 0, 20, 10)], rects);
            Assert.True(file!.Inspect().Size >= 800);
        }

        AskFrame(socket, frame.Serial);
        _device.Head.SetSurface(null);
        frame = ReadFrame(socket, out rects, out file);
        Assert.Null(file);
        Assert.Equal((true, 0u, 0), ((frame.Flags & FeedProtocol.FEED_FRAME_SURFACE) != 0, frame.Width, rects.Length));
    }

    [Fact]
    public void A_source_that_announces_nothing_is_asked_when_somebody_asks()
    {
        var source = new Source(_device);
        _device.Head.FrameSource = source;
        using UnixSocket socket = Greet(_device.Path);
        AskFrame(socket, 0);
        FeedFrame frame = ReadFrame(socket, out _);
        Assert.Equal(1, source.Asked);
        for (int i = 0; i < 20; i++)
        {
            AskFrame(socket, frame.Serial, patience: 0);
            frame = ReadFrame(socket, out _);
        }

        // As often as a source can be asked, at most.
        Assert.InRange(source.Asked, 1, 20);
        _device.Head.FrameSource = null;
    }

    [Fact]
    public void A_client_that_left_is_observed_for_no_more()
    {
        using (UnixSocket socket = Greet(_device.Path))
        {
            FirstFrame(socket);
            Assert.True(_device.Head.IsObserved);
        }

        Assert.True(SpinWait.SpinUntil(() => !_device.Head.IsObserved, TimeSpan.FromSeconds(60)));
    }

    public static TheoryData<string> Wrongs => ["serial", "two at a time", "reserved", "short frame", "long frame", "short cursor", "cursor ticket", "short resize",
        "short hurry", "no event", "half an event", "too many events"];

    [Theory]
    [MemberData(nameof(Wrongs))]
    public void What_is_no_request_ends_the_connection(string wrong)
    {
        using UnixSocket socket = Greet(_device.Path);
        ulong serial = FirstFrame(socket);
        switch (wrong)
        {
            case "serial": AskFrame(socket, serial + 1); break;
            case "two at a time":
                AskFrame(socket, serial);
                AskFrame(socket, serial);
                break;
            case "reserved": Send(socket, FeedProtocol.FEED_FRAME, FeedProtocol.BytesOf(new FeedFrameRequest { Serial = serial, Reserved = 1 })); break;
            case "short frame": Send(socket, FeedProtocol.FEED_FRAME, new byte[FeedFrameRequest.Size - 1]); break;
            case "long frame": Send(socket, FeedProtocol.FEED_FRAME, new byte[FeedFrameRequest.Size + 1]); break;
            case "short cursor": Send(socket, FeedProtocol.FEED_CURSOR, new byte[8]); break;
            case "cursor ticket": Send(socket, FeedProtocol.FEED_CURSOR, FeedProtocol.BytesOf(new FeedCursorRequest { Ticket = 5 })); break;
            case "short resize": Send(socket, FeedProtocol.FEED_RESIZE, new byte[12]); break;
            case "short hurry": Send(socket, FeedProtocol.FEED_HURRY, new byte[4]); break;
            case "no event": Send(socket, FeedProtocol.FEED_INPUT, []); break;
            case "half an event": Send(socket, FeedProtocol.FEED_INPUT, new byte[24]); break;
            case "too many events": Send(socket, FeedProtocol.FEED_INPUT, new byte[33 * 16]); break;
        }

        AssertDropped(socket);
        using UnixSocket next = Greet(_device.Path);
        FirstFrame(next);
    }

    [Fact]
    public void What_can_not_be_is_refused_and_the_conversation_goes_on()
    {
        using UnixSocket socket = Greet(_device.Path);
        Send(socket, FeedProtocol.FEED_FRAME, FeedProtocol.BytesOf(new FeedFrameRequest { Head = 2 }));
        Assert.Equal(Errno.EINVAL, ReadErrno(socket, FeedProtocol.FEED_FRAME));
        Send(socket, FeedProtocol.FEED_FRAME, FeedProtocol.BytesOf(new FeedFrameRequest { Flags = 2 }));
        Assert.Equal(Errno.EINVAL, ReadErrno(socket, FeedProtocol.FEED_FRAME));
        Send(socket, FeedProtocol.FEED_CURSOR, FeedProtocol.BytesOf(new FeedCursorRequest { Head = 2 }));
        Assert.Equal(Errno.EINVAL, ReadErrno(socket, FeedProtocol.FEED_CURSOR));
        foreach (var resize in new[]
        {
            new FeedResize { Head = 2, Width = 1, Height = 1, RefreshHertz = 60 },
            new FeedResize { Width = 0, Height = 1, RefreshHertz = 60 },
            new FeedResize { Width = 16_385, Height = 1, RefreshHertz = 60 },
            new FeedResize { Width = uint.MaxValue, Height = 1, RefreshHertz = 60 },
            new FeedResize { Width = 1, Height = 1, RefreshHertz = 0 },
        })
        {
            Send(socket, FeedProtocol.FEED_RESIZE, FeedProtocol.BytesOf(resize));
            Assert.Equal(Errno.EINVAL, ReadErrno(socket, FeedProtocol.FEED_RESIZE));
        }

        Assert.Equal(new DisplayMode(1280, 800), _device.Head.PreferredMode);
        Send(socket, FeedProtocol.FEED_RESIZE, FeedProtocol.BytesOf(new FeedResize { Width = 16_000, Height = 9, RefreshHertz = 50 }));
        Assert.Equal((uint)FeedMode.Size, ReadHeader(socket, out _).Length);
        var mode = MemoryMarshal.Read<FeedMode>(ReadExactly(socket, FeedMode.Size, out _));
        Assert.Equal((4096u, 9u, 50u), (mode.Width, mode.Height, mode.RefreshHertz));
        FirstFrame(socket);
    }

    public static TheoryData<InputEvent> Impossible =>
    [
        new InputEvent((InputKind)5, 0, 1, 1, 0, 0), new InputEvent((InputKind)255, 0, 1, 1, 0, 0), new InputEvent(InputKind.Key, 0, 0, 1, 0, 0),
        new InputEvent(InputKind.Key, 0, 0x300, 1, 0, 0), new InputEvent(InputKind.Button, 0, 1, 2, 0, 0), new InputEvent(InputKind.Pointer, 0, 0, 0, -1, 0),
        new InputEvent(InputKind.Pointer, 2, 0, 0, 1, 1), new InputEvent(InputKind.Scroll, 0, 0, 0, int.MinValue, 0), new InputEvent(InputKind.Touch, 0, 10, 1, 0, 0),
    ];

    [Theory]
    [MemberData(nameof(Impossible))]
    public void Impossible_input_is_refused_whole(InputEvent wrong)
    {
        using UnixSocket socket = Greet(_device.Path);
        InputEvent[] moment = [InputEvent.Key(30, true), wrong];
        Send(socket, FeedProtocol.FEED_INPUT, MemoryMarshal.AsBytes<InputEvent>(moment));
        Assert.Equal(Errno.EINVAL, ReadErrno(socket, FeedProtocol.FEED_INPUT));
        InputEvent[] most = [.. Enumerable.Range(1, FeedProtocol.MaxEvents).Select(i => InputEvent.Scroll(i, -i))];
        Send(socket, FeedProtocol.FEED_INPUT, MemoryMarshal.AsBytes<InputEvent>(most));
        Assert.Equal(Errno.None, ReadErrno(socket, FeedProtocol.FEED_INPUT));
        Assert.Equal(most, Assert.Single(_device.Input));
    }

    [Fact]
    public void A_cursor_comes_in_memory_that_nobody_changes_one_at_a_time()
    {
        var image = new CursorImage(3, 2, 1, -1, Enumerable.Range(0, 24).Select(i => (byte)i).ToArray());
        _device.Head.SetCursor(image, 7, 9);
        using UnixSocket socket = Greet(_device.Path);
        ulong ticket = 0;
        for (int i = 0; i < 3; i++)
        {
            Send(socket, FeedProtocol.FEED_CURSOR, FeedProtocol.BytesOf(new FeedCursorRequest { Ticket = ticket }));
            ReadHeader(socket, out int number);
            using var file = new FileDescriptor(number);
            var cursor = MemoryMarshal.Read<FeedCursor>(ReadExactly(socket, FeedCursor.Size, out _));
            Assert.Equal((3u, 2u, 1, -1, 7, 9, 24UL), (cursor.Width, cursor.Height, cursor.HotX, cursor.HotY, cursor.X, cursor.Y, cursor.Length));
            Assert.Equal(Seals.F_SEAL_SHRINK | Seals.F_SEAL_GROW | Seals.F_SEAL_WRITE | Seals.F_SEAL_SEAL, MemFd.GetSeals(file));
            using var mapping = MemoryMapping.Share(file, 0, 24, MemoryProtection.Read);
            Assert.True(image.Pixels.Span.SequenceEqual(mapping.Span));
            ticket = cursor.Ticket;
        }
    }

    [Fact]
    public void A_client_that_never_reads_costs_nothing_and_holds_nobody_back()
    {
        using UnixSocket lazy = Greet(_device.Path);
        FirstFrame(lazy);
        using UnixSocket careless = Greet(_device.Path);
        AskFrame(careless, 0);
        using UnixSocket other = Greet(_device.Path);
        ulong serial = FirstFrame(other);
        for (int i = 0; i < 300; i++)
        {
            AskFrame(other, serial);
            _device.SetMode(16 + i, 16);
            serial = ReadFrame(other, out _).Serial;
        }

        // One shadow of now, and the one that the careless client has not taken.
        Assert.InRange(Vgpu.Testing.OwnDescriptors.Count("/memfd:vgpu-feed"), 1, 2);
        byte[] hurry = Message(FeedProtocol.FEED_HURRY, FeedProtocol.BytesOf(default(FeedHurry)));
        Errno error = Errno.None;
        for (int i = 0; i < 1_000_000 && error == Errno.None; i++)
        {
            error = lazy.Send(hurry);
        }

        Assert.Contains(error, new[] { Errno.EPIPE, Errno.ECONNRESET });
        AskFrame(other, serial, patience: 0);
        ReadFrame(other, out _);
    }

    [Fact]
    public void Frames_that_go_on_allocate_nothing()
    {
        var allocated = new List<long>(16);
        _device.Screen.Input = new Meter(allocated);
        using UnixSocket socket = Greet(_device.Path);
        ulong serial = FirstFrame(socket);
        InputEvent[] moment = [InputEvent.Scroll(1, 1)];
        for (int round = 0; round < 10; round++)
        {
            for (int i = 0; i < 100; i++)
            {
                _device.Draw(new Rect(i % 32, i % 16, 20, 10));
                _device.Head.MoveCursor(i, i);
                AskFrame(socket, serial);
                serial = ReadFrame(socket, out _).Serial;
            }

            Send(socket, FeedProtocol.FEED_INPUT, MemoryMarshal.AsBytes<InputEvent>(moment));
            ReadErrno(socket, FeedProtocol.FEED_INPUT);
        }

        // Less than a byte a frame: other rounds, and an input's few, may have the runtime's first times among them.
        Assert.Equal(10, allocated.Count);
        Assert.InRange(allocated.Zip(allocated.Skip(1), (before, after) => after - before).Min(), 0, 99);
    }

    private static ulong FirstFrame(UnixSocket socket)
    {
        AskFrame(socket, 0);
        return ReadFrame(socket, out _).Serial;
    }

    // Notes what the server's thread has allocated so far.
    private sealed class Meter(List<long> allocated) : IInputSink
    {
        public void Send(ReadOnlySpan<InputEvent> events) => allocated.Add(GC.GetAllocatedBytesForCurrentThread());
    }

    private sealed class Source(ScreenUnderTest device) : IFrameSource
    {
        internal int Asked { get; private set; }

        public void Refresh()
        {
            Asked++;
            device.Draw(new Rect(0, 0, 1, 1));
        }
    }
}
