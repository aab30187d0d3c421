using Vgpu.Linux;
using Vgpu.VfioUser.Journal;
using Vgpu.VfioUser.Messages;
using Vgpu.VfioUser.Server;

namespace Vgpu.VfioUser.Tests;

// Messages cut and joined by the kernel at any byte, and whose the descriptors are.
public sealed class RequestStreamTests : IDisposable
{
    private readonly UnixSocket _client;
    private readonly UnixSocket _server;
    private readonly RequestStream _stream;

    public RequestStreamTests()
    {
        (_client, _server) = UnixSocket.Pair();
        _stream = new RequestStream(_server, new WireBuffer(VfioUserLimits.MaxMessageSize + 100));
    }

    public void Dispose()
    {
        _stream.Clear();
        _client.Dispose();
        _server.Dispose();
    }

    [Fact]
    public void A_message_split_at_every_byte_is_whole()
    {
        byte[] message = Wire.Message(5, VfioUserCommand.VFIO_USER_REGION_WRITE, Wire.Write(0, 8, 3, 1, 2, 3));
        for (int split = 1; split < message.Length; split++)
        {
            Send(message[..split]);
            Assert.True(_stream.Receive());
            Assert.False(_stream.TryNext(out _, out _));
            Send(message[split..]);
            Assert.True(_stream.Receive());
            AssertNext(5, 0);
            Assert.False(_stream.TryNext(out _, out _));
        }
    }

    [Fact]
    public void Three_messages_byte_by_byte()
    {
        for (int i = 1; i <= 3; i++)
        {
            byte[] message = Wire.ReadMessage((ushort)i, 0, 0, 4);
            foreach (byte b in message[..^1])
            {
                Send([b]);
                Assert.True(_stream.Receive());
                Assert.False(_stream.TryNext(out _, out _));
            }

            Send(message[^1..]);
            Assert.True(_stream.Receive());
            AssertNext(i, 0);
        }
    }

    [Fact]
    public void Descriptors_belong_to_the_last_message_begun()
    {
        using var memory = MemFd.Create("trap", 4096);
        Send(Wire.ReadMessage(1, 0, 0, 4));
        Send([.. Wire.ReadMessage(2, 0, 0, 4), .. Wire.ReadMessage(3, 0, 0, 4)]);
        Send(Wire.ReadMessage(4, 0, 0, 4), memory);
        Send(Wire.ReadMessage(5, 0, 0, 4));
        Assert.True(_stream.Receive());
        AssertNext(1, 0);
        AssertNext(2, 0);
        AssertNext(3, 0);
        AssertNext(4, 1);
        Assert.False(_stream.TryNext(out _, out _));
        Assert.True(_stream.Receive());
        AssertNext(5, 0);
    }

    [Fact]
    public void Two_messages_in_one_read_may_both_have_descriptors()
    {
        using var memory = MemFd.Create("trap", 4096);
        byte[] message = Wire.ReadMessage(1, 0, 0, 4);
        for (int split = 1; split < message.Length; split++)
        {
            Send(message[..split], memory);
            Assert.True(_stream.Receive());
            Assert.False(_stream.TryNext(out _, out _));
            Send(message[split..]);
            Send(Wire.ReadMessage(2, 0, 0, 4)[..10], memory, memory);
            Assert.True(_stream.Receive());
            AssertNext(1, 1);
            Assert.False(_stream.TryNext(out _, out _));
            Send(Wire.ReadMessage(2, 0, 0, 4)[10..], memory);
            Assert.True(_stream.Receive());
            AssertNext(2, 3);
        }
    }

    [Fact]
    public void The_longest_message_after_short_ones_fits()
    {
        byte[] write = Wire.Message(9, VfioUserCommand.VFIO_USER_REGION_WRITE, new byte[VfioUserLimits.MaxMessageSize - VfioUserHeader.Length]);
        Assert.Equal(VfioUserLimits.MaxMessageSize, write.Length);
        byte[] all = [.. Wire.ReadMessage(1, 0, 0, 4), .. write, .. Wire.ReadMessage(2, 0, 0, 4), .. write];
        var sender = new Thread(() => Send(all));
        sender.Start();
        var ids = new List<int>();
        while (ids.Count < 4)
        {
            Assert.True(_stream.Receive());
            while (_stream.TryNext(out VfioUserHeader header, out _))
            {
                ids.Add(header.MessageId);
            }
        }

        sender.Join();
        Assert.Equal([1, 9, 2, 9], ids);
        Assert.False(_stream.TryNext(out _, out _));
    }

    private void Send(byte[] bytes, params FileDescriptor[] descriptors) =>
        Assert.Equal(Errno.None, _client.Send(bytes, default, descriptors.Select(d => d.Number).ToArray()));

    private void AssertNext(int id, int descriptors)
    {
        Assert.True(_stream.TryNext(out VfioUserHeader header, out _));
        Assert.Equal((id, descriptors), (header.MessageId, _stream.Descriptors?.Count ?? 0));
        _stream.EndMessage();
    }
}
