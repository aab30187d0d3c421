namespace Vgpu.Linux.Tests;

public sealed class UnixSocketTests
{
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
}
