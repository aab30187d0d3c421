// The device's one lock: reset, DMA unmap and bus mastering against the worker; chains kept for later; nothing allocated.
using Vgpu.Testing;
using static Vgpu.Pci.PciRegisters;
using static Vgpu.Virtio.VirtioFeatures;

namespace Vgpu.Virtio.Tests;

public sealed class OrderTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reset_or_unmap_waits_for_the_chain_in_work(bool reset)
    {
        using var rig = new Rig();
        rig.Start();
        using var entered = new ManualResetEventSlim();
        using var leave = new ManualResetEventSlim();
        bool done = false;
        rig.Device.Handle = (_, queue, chain) =>
        {
            entered.Set();
            leave.Wait();
            Assert.True(chain.Write(0, [1]));
            queue.Push(chain.Head, 1);
            Volatile.Write(ref done, true);
        };
        rig.Queue.Add(new GuestBuffer(rig.Out, 1, true));
        rig.Driver.Kick(rig.Queue);
        entered.Wait();
        Task<bool> other = Task.Run(() =>
        {
            if (reset)
            {
                rig.Function.Reset();
            }
            else
            {
                rig.Guest.UnmapFirst();
            }

            return Volatile.Read(ref done);
        });
        Assert.NotSame(other, await Task.WhenAny(other, Task.Delay(50)));
        leave.Set();
        Assert.True(await other);
        Assert.Equal(1, rig.Queue.UsedIndex);
    }

    [Fact]
    public void A_chain_pushed_after_a_reset_or_twice_is_nothing()
    {
        using var rig = new Rig();
        (Virtqueue? Queue, ushort Head, uint Generation) kept = default;
        using var handled = new AutoResetEvent(false);
        rig.Device.Handle = (_, queue, chain) =>
        {
            kept = (queue, chain.Head, queue.Generation);
            handled.Set();
        };
        rig.Start();
        rig.Queue.Add(new GuestBuffer(rig.Out, 1, true));
        rig.Driver.Kick(rig.Queue);
        Assert.True(handled.WaitOne(FakeDriver.Timeout));
        var old = kept;
        rig.Driver.Reset();
        Push(rig, old);
        rig.Start();
        Push(rig, old);
        Assert.Equal(0, rig.Queue.UsedIndex);

        // The same head is in flight again: the generation tells them apart.
        rig.Queue.Add(new GuestBuffer(rig.Out, 1, true));
        rig.Driver.Kick(rig.Queue);
        Assert.True(handled.WaitOne(FakeDriver.Timeout));
        Push(rig, old);
        Assert.Equal(0, rig.Queue.UsedIndex);
        Assert.Equal(1, kept.Queue!.InFlight);
        Push(rig, kept);
        Push(rig, kept);
        Assert.Equal(1, rig.Queue.UsedIndex);
        Assert.Equal(0, kept.Queue!.InFlight);
    }

    [Fact]
    public void Rings_and_buffers_are_found_again_after_a_remap()
    {
        using var rig = new Rig();
        rig.Start();
        for (int i = 0; i < 50; i++)
        {
            rig.Echo();
            rig.Guest.UnmapFirst();
            rig.Guest.MapFirst();
        }

        Assert.False(rig.Driver.NeedsReset);
    }

    [Fact]
    public void Work_that_meets_a_remap_is_done_after_it()
    {
        using var rig = new Rig();
        rig.Start();
        rig.Guest.At(rig.In, 1)[0] = 9;
        rig.Queue.Add(new GuestBuffer(rig.In, 1), new GuestBuffer(rig.Out, 1, true));
        rig.Guest.UnmapFirst();
        rig.Driver.Kick(rig.Queue);
        rig.Guest.MapFirst();
        rig.Driver.WaitUsed(rig.Queue, 1);
        Assert.Equal(9, rig.Guest.At(rig.Out, 1)[0]);
        Assert.False(rig.Driver.NeedsReset);
    }

    [Fact]
    public void A_push_that_meets_a_remap_is_not_lost()
    {
        using var rig = new Rig();
        Virtqueue? queue = null;
        using var handled = new AutoResetEvent(false);
        rig.Device.Handle = (_, q, _) =>
        {
            queue = q;
            handled.Set();
        };
        rig.Start();
        ushort first = rig.Queue.Add(new GuestBuffer(rig.Out, 1, true));
        rig.Driver.Kick(rig.Queue);
        Assert.True(handled.WaitOne(FakeDriver.Timeout));
        rig.Guest.UnmapFirst();
        lock (rig.Function.Lock)
        {
            queue!.Push(first, 1);
        }

        Assert.Equal(0, rig.Queue.UsedIndex);
        rig.Guest.MapFirst();
        rig.Driver.WaitUsed(rig.Queue, 1);
        Assert.Equal((first, 1u), rig.Queue.UsedEntry(0));
    }

    [Fact]
    public void Without_bus_mastering_nothing_is_touched_until_it_is_back()
    {
        using var rig = new Rig();
        rig.Start();
        rig.Driver.Write16(7, PCI_COMMAND, PCI_COMMAND_MEMORY);
        rig.Queue.Add(new GuestBuffer(rig.In, 1), new GuestBuffer(rig.Out, 1, true));
        rig.Driver.Kick(rig.Queue);
        Assert.False(rig.Driver.Events[0].Wait(30));
        Assert.Equal(0, rig.Queue.UsedIndex);
        rig.Driver.Write16(7, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
        rig.Driver.WaitUsed(rig.Queue, 1);
        Assert.False(rig.Driver.NeedsReset);
    }

    [Fact]
    public void Chains_that_the_device_leaves_come_again_when_it_wakes_the_queue()
    {
        using var rig = new Rig();
        bool open = false;
        using var left = new AutoResetEvent(false);
        rig.Device.Handle = (_, queue, chain) =>
        {
            if (open)
            {
                queue.Push(chain.Head, 0);
            }
            else
            {
                queue.Leave();
                left.Set();
            }
        };
        rig.Start();
        rig.Queue.Add(new GuestBuffer(rig.Out, 1, true));
        rig.Queue.Add(new GuestBuffer(rig.Out, 1, true));
        rig.Driver.Kick(rig.Queue);
        Assert.True(left.WaitOne(FakeDriver.Timeout));
        lock (rig.Function.Lock)
        {
            open = true;
        }

        rig.Function.Wake(0);
        rig.Driver.WaitUsed(rig.Queue, 2);
        Assert.Equal(0u, rig.Queue.UsedEntry(0).Id);
    }

    [Fact]
    public async Task Rebinding_and_remapping_while_the_device_works_breaks_nothing()
    {
        using var rig = new Rig();
        using var stop = new CancellationTokenSource();
        Task kicks = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                rig.Function.Wake(0);
                rig.Function.Wake(1);
            }
        });
        for (int i = 0; i < 160; i++)
        {
            rig.Start(Rig.Features | VIRTIO_F_EVENT_IDX);
            rig.Echo();
            for (int j = 0; j < 8; j++)
            {
                rig.Queue.Add(new GuestBuffer(rig.In, 64), new GuestBuffer(rig.Out, 64, true));
            }

            if (i % 4 == 0)
            {
                rig.Guest.UnmapFirst();
                rig.Guest.MapFirst();
            }

            Assert.False(rig.Driver.NeedsReset);
            if (i % 2 == 0)
            {
                rig.Function.Reset();
                rig.Driver.Write16(7, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
            }
        }

        await stop.CancelAsync();
        await kicks;
    }

    [Fact]
    public void Registers_take_turns_with_a_queue_that_is_never_empty()
    {
        using var rig = new Rig();
        bool stop = false;
        long chains = 0;
        using var busy = new ManualResetEventSlim();
        rig.Device.Handle = (index, queue, chain) =>
        {
            busy.Set();
            Interlocked.Increment(ref chains);

            // The chain comes again at once.
            queue.Leave();
            if (!Volatile.Read(ref stop))
            {
                rig.Function.Wake(index);
            }
        };
        rig.Start();
        rig.Queue.Add(new GuestBuffer(rig.Out, 1, true));
        rig.Driver.Kick(rig.Queue);
        busy.Wait(FakeDriver.Timeout);
        var waited = new long[2000];
        for (int i = 0; i < waited.Length; i++)
        {
            long before = Interlocked.Read(ref chains);
            rig.Driver.Read32(0, 0);
            waited[i] = Interlocked.Read(ref chains) - before;
        }

        Volatile.Write(ref stop, true);

        // How many chains went first. Most, not all: the scheduler may take this thread off between the two counts.
        Array.Sort(waited);
        Assert.InRange(waited[waited.Length / 2], 0, 8);
    }

    [Fact]
    public void The_worker_and_the_registers_allocate_nothing()
    {
        using var rig = new Rig();
        long worker = 0;
        byte[] scratch = new byte[64];
        rig.Device.Handle = (_, queue, chain) =>
        {
            chain.Read(0, scratch);
            chain.Write(0, scratch);
            queue.Push(chain.Head, 64);
            worker = GC.GetAllocatedBytesForCurrentThread();
        };
        rig.Start();
        RoundTrips(rig, 200);
        long workerBefore = worker;
        long before = GC.GetAllocatedBytesForCurrentThread();
        RoundTrips(rig, 2000);

        // A lock makes its event once, when it is first contended: far less than a byte a round.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 500);
        Assert.InRange(worker - workerBefore, 0, 500);
    }

    private static void RoundTrips(Rig rig, int count)
    {
        for (int i = 0; i < count; i++)
        {
            ushort used = rig.Queue.UsedIndex;
            rig.Queue.Add(new GuestBuffer(rig.In, 64), new GuestBuffer(rig.Out, 64, true));
            rig.Driver.Kick(rig.Queue);
            while (rig.Queue.UsedIndex == used)
            {
                rig.Driver.Events[0].Wait(FakeDriver.Timeout);
                rig.Driver.Events[0].Take();
                rig.Driver.Read8(0, 0x1000);
                rig.Driver.Unmask();
            }
        }
    }

    private static void Push(Rig rig, (Virtqueue? Queue, ushort Head, uint Generation) chain)
    {
        lock (rig.Function.Lock)
        {
            chain.Queue!.Push(chain.Head, 1, chain.Generation);
        }
    }
}
