using Vgpu.Linux.Interop;

namespace Vgpu.Linux.Tests;

public sealed unsafe class EventFdTests
{
    [Fact]
    public void Signals_add_up_and_are_taken_together()
    {
        using EventFd counter = EventFd.Create();
        Assert.Equal(0ul, counter.Take());
        Assert.False(counter.Wait(0));

        counter.Signal();
        counter.Signal();

        Assert.True(counter.Wait(0));
        Assert.Equal(2ul, counter.Take());
        Assert.Equal(0ul, counter.Take());
    }

    [Theory]
    [InlineData(Libc.EFD_CLOEXEC)] // blocking, as a hostile client sends it
    [InlineData(Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK)]
    public void A_full_counter_does_not_block(int flags)
    {
        using var counter = new EventFd(new FileDescriptor(Libc.EventFd(0, flags)));
        ulong full = ulong.MaxValue - 1;
        Assert.Equal(sizeof(ulong), Libc.Write(counter.Descriptor.Number, &full, sizeof(ulong)));

        counter.Signal();

        Assert.Equal(full, counter.Take());
    }

    [Fact]
    public void Wakes_a_waiter()
    {
        using EventFd counter = EventFd.Create();
        bool woken = false;
        var waiter = new Thread(() => woken = counter.Wait(10_000));
        waiter.Start();
        counter.Signal();
        waiter.Join();
        Assert.True(woken);
    }

    [Fact]
    public void Is_told_from_other_files()
    {
        using EventFd counter = EventFd.Create();
        using FileDescriptor memory = MemFd.Create("anon_inode:[eventfd]", 4096);
        using FileDescriptor device = FileDescriptor.OpenRead("/dev/null");
        Assert.True(EventFd.IsEventFd(counter.Descriptor));
        Assert.False(EventFd.IsEventFd(memory));
        Assert.False(EventFd.IsEventFd(device));
    }

    [Fact]
    public void Signalling_allocates_nothing()
    {
        using EventFd counter = EventFd.Create();
        counter.Signal();
        _ = counter.Take();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            counter.Signal();
            _ = counter.Take();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
