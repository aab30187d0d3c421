using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Viewers.Feed;

namespace Vgpu.Viewers.Tests;

// The feed's protocol, message by message, as a client says it.
internal static class FeedTalk
{
    internal static UnixSocket Greet(string path)
    {
        UnixSocket socket = UnixSocket.Connect(path);
        Send(socket, FeedProtocol.FEED_HELLO, Hello());
        FeedHeader header = ReadHeader(socket, out _);
        Assert.Equal((FeedProtocol.FEED_HELLO | FeedProtocol.FEED_REPLY, 0u, (uint)FeedHello.Size), (header.Type, header.Errno, header.Length));
        ReadExactly(socket, FeedHello.Size, out _);
        return socket;
    }

    internal static byte[] Hello() => FeedProtocol.BytesOf(new FeedHello { Magic = FeedProtocol.Magic, Major = FeedProtocol.MajorVersion }).ToArray();

    internal static byte[] Message(ushort type, ReadOnlySpan<byte> payload, uint? length = null, uint errno = 0, ushort reserved = 0)
    {
        var header = new FeedHeader { Type = type, Id = 7, Length = length ?? (uint)payload.Length, Errno = errno, Reserved = reserved };
        return [.. FeedProtocol.BytesOf(header), .. payload];
    }

    internal static void Send(UnixSocket socket, ushort type, ReadOnlySpan<byte> payload) => Assert.Equal(Errno.None, socket.Send(Message(type, payload)));

    internal static FeedHeader ReadHeader(UnixSocket socket, out int descriptor) => MemoryMarshal.Read<FeedHeader>(ReadExactly(socket, FeedHeader.Size, out descriptor));

    internal static byte[] ReadExactly(UnixSocket socket, int length, out int descriptor)
    {
        var bytes = new byte[length];
        var numbers = new int[2];
        descriptor = -1;
        for (int done = 0; done < length;)
        {
            int count = socket.Receive(bytes.AsSpan(done), numbers, out int descriptors, out Errno error);
            Assert.True(count > 0, $"the server is gone: {error}");
            descriptor = descriptors == 0 ? descriptor : numbers[0];
            done += count;
        }

        return bytes;
    }

    // Whatever was answered before is skipped; then the stream ends.
    internal static void AssertDropped(UnixSocket socket)
    {
        var bytes = new byte[4096];
        Errno error;
        while (socket.Receive(bytes, [], out _, out error) > 0)
        {
        }

        Assert.Contains(error, new[] { Errno.None, Errno.ECONNRESET });
    }

    internal static void AskFrame(UnixSocket socket, ulong serial, bool picture = true, uint patience = 60_000, uint head = 0) =>
        Send(socket, FeedProtocol.FEED_FRAME, FeedProtocol.BytesOf(new FeedFrameRequest
        {
            Head = head,
            Flags = picture ? FeedProtocol.FEED_FRAME_PICTURE : 0,
            PatienceMilliseconds = patience,
            Serial = serial,
        }));

    internal static FeedFrame ReadFrame(UnixSocket socket, out Rect[] rects, out FileDescriptor? file)
    {
        FeedHeader header = ReadHeader(socket, out int number);
        file = number < 0 ? null : new FileDescriptor(number);
        Assert.Equal((FeedProtocol.FEED_FRAME | FeedProtocol.FEED_REPLY, 0u), (header.Type, header.Errno));
        byte[] payload = ReadExactly(socket, (int)header.Length, out _);
        var frame = MemoryMarshal.Read<FeedFrame>(payload);
        rects = MemoryMarshal.Cast<byte, Rect>(payload.AsSpan(FeedFrame.Size)).ToArray();
        Assert.Equal(frame.RectCount, (uint)rects.Length);
        return frame;
    }

    internal static FeedFrame ReadFrame(UnixSocket socket, out Rect[] rects)
    {
        FeedFrame frame = ReadFrame(socket, out rects, out FileDescriptor? file);
        file?.Dispose();
        return frame;
    }

    // An answer without a payload, and its errno.
    internal static Errno ReadErrno(UnixSocket socket, ushort type)
    {
        FeedHeader header = ReadHeader(socket, out int number);
        Assert.Equal((type | FeedProtocol.FEED_REPLY, 0u, -1), (header.Type, header.Length, number));
        return (Errno)header.Errno;
    }
}
