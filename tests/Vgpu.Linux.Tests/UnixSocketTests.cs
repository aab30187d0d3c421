using Vgpu.Testing;
namespace Vgpu.Linux.Tests;

public sealed class UnixSocketTests
{
    [Fact]
    public void Connecting_and_sending_wait_no_longer_than_they_are_told()
    {
        using var folder = new TemporaryFolder();
        using UnixSocket listener = UnixSocket.Listen(folder.File("full"), backlog: 0);
        using UnixSocket first = UnixSocket.Connect(folder.File("full"), TimeSpan.FromMilliseconds(1));
        Assert.Equal(Errno.EAGAIN, Assert.Throws<LinuxException>(() => UnixSocket.Connect(folder.File("full"), TimeSpan.FromMilliseconds(1))).Errno);
        using UnixSocket? accepted = listener.Accept();
        Errno error = Errno.None;
        for (int i = 0; i < 10_000 && error == Errno.None; i++)
        {
            error = first.Send(new byte[4096]);
        }

        Assert.Equal(Errno.EAGAIN, error);
    }

    [Fact]
    public void Descriptors_travel_with_the_first_byte()
    {
        var (first, second) = UnixSocket.Pair();
        using (first)
        using (second)
        using (var memory = MemFd.Create("passed", 4096))
        {
            Assert.Equal(Errno.None, first.Send([1, 2], [3], [memory.Number]));

            var bytes = new byte[8];
            var numbers = new int[4];
            Assert.Equal(3, second.Receive(bytes, numbers, out int count, out Errno error));
            Assert.Equal(Errno.None, error);
            Assert.Equal(1, count);
            using var passed = new FileDescriptor(numbers[0]);
            Assert.Equal(memory.Inspect().Identity, passed.Inspect().Identity);
        }
    }

    [Theory]
    [InlineData(1, 0, 0, Errno.EMSGSIZE)]
    [InlineData(1, 1, 1, Errno.None)]
    [InlineData(2, 1, 1, Errno.EMSGSIZE)] // the second fits into the padding
    [InlineData(3, 1, 1, Errno.EMSGSIZE)]
    [InlineData(4, 3, 3, Errno.EMSGSIZE)]
    [InlineData(7, 4, 4, Errno.EMSGSIZE)]
    [InlineData(16, 16, 16, Errno.None)]
    [InlineData(UnixSocket.SCM_MAX_FD, UnixSocket.SCM_MAX_FD, UnixSocket.SCM_MAX_FD, Errno.None)]
    [InlineData(UnixSocket.SCM_MAX_FD, 300, UnixSocket.SCM_MAX_FD, Errno.None)]
    public void Too_many_descriptors_are_told_of_and_closed(int sent, int room, int given, Errno expected)
    {
        string name = $"many-{Guid.NewGuid():N}";
        var (first, second) = UnixSocket.Pair();
        using (first)
        using (second)
        using (var memory = MemFd.Create(name, 4096))
        {
            int[] numbers = [.. Enumerable.Repeat(memory.Number, sent)];
            Assert.Equal(Errno.None, first.Send([1], default, numbers));
            var received = new int[room];

            Assert.Equal(1, second.Receive(new byte[4], received, out int count, out Errno error));

            Assert.Equal((given, expected), (count, error));
            Assert.Equal(1 + given, OwnDescriptors.Count(name));
            foreach (int number in received.AsSpan(0, count))
            {
                new FileDescriptor(number).Dispose();
            }

            Assert.Equal(1, OwnDescriptors.Count(name));
        }
    }

    [Fact]
    public void A_large_message_is_sent_whole()
    {
        var (first, second) = UnixSocket.Pair();
        using (first)
        using (second)
        {
            var body = new byte[3 << 20];
            new Random(1).NextBytes(body);
            var received = new byte[body.Length + 2];
            var reader = new Thread(() =>
            {
                for (int at = 0; at < received.Length;)
                {
                    int n = second.Receive(received.AsSpan(at), default, out _, out _);
                    if (n == 0)
                    {
                        return;
                    }

                    at += n;
                }
            });
            reader.Start();
            Assert.Equal(Errno.None, first.Send([7, 8], body));
            reader.Join();
            Assert.Equal([7, 8], received[..2]);
            Assert.True(body.AsSpan().SequenceEqual(received.AsSpan(2)));
        }
    }

    [Fact]
    public void The_end_is_zero_bytes_and_no_error()
    {
        var (first, second) = UnixSocket.Pair();
        using (second)
        {
            first.Dispose();
            Assert.Equal(0, second.Receive(new byte[4], default, out _, out Errno error));
            Assert.Equal(Errno.None, error);
            Assert.Equal(Errno.EPIPE, second.Send([1]));
        }
    }

    [Fact]
    public void Shutdown_ends_a_receive_and_an_accept()
    {
        using var place = new TemporaryFolder();
        using UnixSocket listener = UnixSocket.Listen(place.File("s"));
        UnixSocket? accepted = listener;
        var acceptor = new Thread(() => accepted = listener.Accept());
        acceptor.Start();
        var (first, second) = UnixSocket.Pair();
        using (first)
        using (second)
        {
            int received = -1;
            var receiver = new Thread(() => received = first.Receive(new byte[4], default, out _, out _));
            receiver.Start();
            first.Shutdown();
            listener.Shutdown();
            receiver.Join();
            acceptor.Join();
            Assert.Equal(0, received);
            Assert.Null(accepted);
        }
    }

    [Fact]
    public void A_stale_socket_is_replaced()
    {
        using var place = new TemporaryFolder();
        UnixSocket.Listen(place.File("s")).Dispose();
        Assert.True(File.Exists(place.File("s")));

        using UnixSocket listener = UnixSocket.Listen(place.File("s"));
        using UnixSocket client = UnixSocket.Connect(place.File("s"));
        using UnixSocket server = listener.Accept()!;

        Assert.Equal(Environment.ProcessId, server.Peer().Pid);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(place.File("s")));
    }

    [Fact]
    public void A_live_socket_is_left_alone()
    {
        using var place = new TemporaryFolder();
        using UnixSocket listener = UnixSocket.Listen(place.File("s"));

        Assert.Equal(Errno.EADDRINUSE, Assert.Throws<LinuxException>(() => UnixSocket.Listen(place.File("s"))).Errno);

        using UnixSocket client = UnixSocket.Connect(place.File("s"));
    }

    [Fact]
    public void Another_file_is_left_alone()
    {
        using var place = new TemporaryFolder();
        File.WriteAllText(place.File("s"), "precious");

        Assert.Equal(Errno.EEXIST, Assert.Throws<LinuxException>(() => UnixSocket.Listen(place.File("s"))).Errno);
        Assert.Equal("precious", File.ReadAllText(place.File("s")));

        File.Delete(place.File("s"));
        Directory.CreateDirectory(place.File("s"));
        Assert.Throws<LinuxException>(() => UnixSocket.Listen(place.File("s")));
        Assert.True(Directory.Exists(place.File("s")));
    }

    [Theory]
    [InlineData(107, true)]
    [InlineData(108, false)]
    public void A_path_has_room_for_107_bytes(int length, bool fits)
    {
        using var place = new TemporaryFolder();
        string path = place.File("s") + new string('x', length - place.File("s").Length);
        if (fits)
        {
            UnixSocket.Listen(path).Dispose();
            Assert.True(File.Exists(path));
        }
        else
        {
            Assert.Equal(Errno.ENAMETOOLONG, Assert.Throws<LinuxException>(() => UnixSocket.Listen(path)).Errno);
        }
    }

    [Fact]
    public void Nobody_listens()
    {
        using var place = new TemporaryFolder();
        Assert.Equal(Errno.ENOENT, Assert.Throws<LinuxException>(() => UnixSocket.Connect(place.File("s"))).Errno);
    }

    [Fact]
    public void Send_and_receive_allocate_nothing()
    {
        var (first, second) = UnixSocket.Pair();
        using (first)
        using (second)
        {
            var bytes = new byte[64];
            var numbers = new int[16];
            long before = 0;
            for (int i = 0; i < 200; i++)
            {
                if (i == 100)
                {
                    before = GC.GetAllocatedBytesForCurrentThread();
                }

                _ = first.Send(bytes);
                _ = second.Receive(bytes, numbers, out _, out _);
            }

            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        }
    }
}
