using System.Runtime.InteropServices;
using Vgpu.Linux.Interop;
using Vgpu.Testing;

namespace Vgpu.Linux.Tests;

public sealed unsafe class EventFdTests
{
    private const int SIGUSR1 = 10;
    private const int F_SETFL = 4;
    private static readonly nint _gettid = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 186 : 178;
    private static readonly nint _tgkill = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 234 : 131;

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

        // The kernel's own way is to fill it up.
        Assert.InRange(counter.Take(), full, ulong.MaxValue);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Each_signal_of_the_kernel_counts_once(bool ring)
    {
        using EventFd counter = EventFd.Create();
        using SignalRing? signals = SignalRing.TryCreate(counter.Descriptor);
        for (int i = 0; i < 1000; i++)
        {
            Assert.True(ring && signals is not null ? signals.TrySignal() : KernelSignal.TrySignal(counter.Descriptor.Number));
        }

        Assert.Equal(1000ul, counter.Take());
        if (signals is not null)
        {
            signals.Dispose();
            Assert.False(signals.TrySignal());
        }
    }

    [Fact]
    public void A_client_that_races_blocks_neither_signal_nor_take()
    {
        // Blocking, and kept full and empty in turn by the one who sent it.
        using var counter = new EventFd(new FileDescriptor(Libc.EventFd(0, Libc.EFD_CLOEXEC)));
        using var theirs = new EventFd(counter.Descriptor.Duplicate());
        bool stop = false;
        var client = new Thread(() =>
        {
            ulong full = ulong.MaxValue - 1;
            while (!Volatile.Read(ref stop))
            {
                if (theirs.Take() == 0)
                {
                    _ = Libc.Fcntl(theirs.Descriptor.Number, F_SETFL, Libc.EFD_NONBLOCK);
                    _ = Libc.Write(theirs.Descriptor.Number, &full, sizeof(ulong));
                    _ = Libc.Fcntl(theirs.Descriptor.Number, F_SETFL, 0);
                }
            }
        });
        client.Start();
        var device = new Thread(() =>
        {
            for (int i = 0; i < 50_000; i++)
            {
                counter.Signal();
                _ = counter.Take();
            }
        });
        device.Start();
        bool done = device.Join(20_000);
        Volatile.Write(ref stop, true);
        client.Join();
        Assert.True(done, "blocked");
    }

    [Fact]
    public void A_signal_of_the_process_ends_no_wait()
    {
        using EventFd counter = EventFd.Create();
        using var handler = PosixSignalRegistration.Create((PosixSignal)SIGUSR1, context => context.Cancel = true);
        bool? woken = null;
        int thread = 0;
        var waiter = new Thread(() =>
        {
            Volatile.Write(ref thread, (int)Libc.Syscall(_gettid, 0, 0));
            woken = counter.Wait(10_000);
        });
        waiter.Start();
        while (Volatile.Read(ref thread) == 0)
        {
            Thread.Yield();
        }

        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(0, (int)Libc.Syscall(_tgkill, Environment.ProcessId, thread, SIGUSR1));
            Assert.False(waiter.Join(5), "the wait has ended");
        }

        counter.Signal();
        waiter.Join();
        Assert.True(woken);
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
        using var folder = new TemporaryFolder();
        string path = folder.File("anon_inode:[eventfd]");
        File.WriteAllText(path, "not one");
        using FileDescriptor file = FileDescriptor.OpenRead(path);
        Assert.False(EventFd.IsEventFd(file));
        Assert.True(EventFd.IsEventFd(counter.Descriptor));
        Assert.False(EventFd.IsEventFd(memory));
        Assert.False(EventFd.IsEventFd(device));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Signalling_allocates_nothing(bool isOurs)
    {
        using EventFd own = EventFd.Create();
        using EventFd counter = isOurs ? own : new EventFd(own.Descriptor.Duplicate());
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
