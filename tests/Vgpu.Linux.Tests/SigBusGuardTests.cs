namespace Vgpu.Linux.Tests;

public sealed unsafe class SigBusGuardTests
{
    private const int Page = 4096;

    [Fact]
    public void Lost_pages_read_as_zeros_and_are_counted_once_each()
    {
        using var memory = new Lost(256);
        long before = SigBusGuard.FaultCount;

        for (int i = 0; i < 256; i++)
        {
            Assert.Equal(0, memory.Mapping.Pointer[(i * Page) + i]);
        }

        Assert.Equal(256, SigBusGuard.FaultCount - before);
        Assert.Equal(-1, memory.Mapping.Span.IndexOfAnyExcept((byte)0));
        Assert.Equal(256, SigBusGuard.FaultCount - before);
    }

    [Fact]
    public void Library_copies_survive_and_writes_stay_here()
    {
        using var memory = new Lost(64);
        long before = SigBusGuard.FaultCount;
        var bytes = new byte[64 * Page];
        Array.Fill(bytes, (byte)0x5a);

        bytes.CopyTo(memory.Mapping.Span);
        memory.Mapping.Span.CopyTo(bytes);

        Assert.Equal(-1, bytes.AsSpan().IndexOfAnyExcept((byte)0x5a));
        Assert.Equal(64, SigBusGuard.FaultCount - before);
        Assert.Equal(0ul, memory.File.Inspect().Size);
    }

    [Fact]
    public void A_read_only_mapping_survives_too()
    {
        using var memory = new Lost(2, MemoryProtection.Read);
        Assert.Equal(0, memory.Mapping.Pointer[Page]);
    }

    [Fact]
    public void Many_threads_fault_at_once()
    {
        using var shared = new Lost(512);
        using var start = new Barrier(4);
        long before = SigBusGuard.FaultCount;
        var wrong = new int[4];
        var threads = new Thread[4];
        for (int t = 0; t < threads.Length; t++)
        {
            int thread = t;
            threads[t] = new Thread(() =>
            {
                using var own = new Lost(256);
                start.SignalAndWait();
                for (int i = 0; i < 512; i++)
                {
                    wrong[thread] += shared.Mapping.Pointer[i * Page] + own.Mapping.Pointer[i % 256 * Page];
                }
            });
            threads[t].Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        Assert.All(wrong, count => Assert.Equal(0, count));
        Assert.InRange(SigBusGuard.FaultCount - before, 512 + (4 * 256), (4 * 512) + (4 * 256));
    }

    [Fact]
    public void Pages_replaced_are_of_the_size_given()
    {
        // A stand-in for a huge page: what is replaced is an aligned block of that size.
        const int Block = 16 * Page;
        using FileDescriptor file = MemFd.Create("block", 4 * Block, Seals.None);
        using var mapping = MemoryMapping.Share(file, 0, 4 * Block, MemoryProtection.ReadWrite);
        nint aligned = ((nint)mapping.Pointer + Block - 1) & ~(Block - 1);
        int guard = SigBusGuard.Register(aligned, 2 * Block, Block);
        file.Truncate(0);
        long before = SigBusGuard.FaultCount;

        var bytes = new Span<byte>((void*)aligned, 2 * Block);
        Assert.Equal(0, bytes[Block - 1]);
        Assert.Equal(1, SigBusGuard.FaultCount - before);
        Assert.Equal(-1, bytes.IndexOfAnyExcept((byte)0));
        Assert.Equal(2, SigBusGuard.FaultCount - before);
        SigBusGuard.Unregister(guard);
    }

    [Fact]
    public void Slots_are_given_back_and_used_again()
    {
        using var memory = MemoryMapping.Anonymous(Page);
        int ranges = SigBusGuard.RangeCount;
        int[] guards = [.. Enumerable.Range(0, 70_000).Select(_ => SigBusGuard.Register(memory, Page))];
        Assert.Equal(ranges + guards.Length, SigBusGuard.RangeCount);

        // The last slot of a full table is found as well.
        using (var lost = new Lost(1))
        {
            Assert.Equal(0, *lost.Mapping.Pointer);
        }

        foreach (int guard in guards)
        {
            SigBusGuard.Unregister(guard);
        }

        Assert.Equal(ranges, SigBusGuard.RangeCount);
        int again = SigBusGuard.Register(memory, Page);
        Assert.InRange(again, 0, guards.Max() + 1);
        SigBusGuard.Unregister(again);
    }

    [Theory]
    [InlineData(1, 4096, 4096)]
    [InlineData(0, 100, 4096)]
    [InlineData(0, 0, 4096)]
    [InlineData(0, 4096, 5000)]
    [InlineData(0, 4096, 0)]
    [InlineData(0, 4096, 8192)]
    public void Only_whole_pages(int offset, ulong length, ulong pageSize) =>
        Assert.Throws<ArgumentException>(() => SigBusGuard.Register(0x10000 + offset, length, pageSize));

    [Fact]
    public void A_fault_elsewhere_still_ends_the_process()
    {
        var (exitCode, output) = WildFault.Run();

        Assert.Equal("guarded 0;", output);
        Assert.NotEqual(0, exitCode);
    }

    // A guarded mapping whose file has lost all its pages.
    private sealed class Lost : IDisposable
    {
        private readonly int _guard;

        internal Lost(int pages, MemoryProtection protection = MemoryProtection.ReadWrite)
        {
            File = MemFd.Create("lost", (ulong)pages * Page, Seals.None);
            Mapping = MemoryMapping.Share(File, 0, (ulong)pages * Page, protection);
            _guard = SigBusGuard.Register(Mapping, Page);
            File.Truncate(0);
        }

        internal FileDescriptor File { get; }

        internal MemoryMapping Mapping { get; }

        public void Dispose()
        {
            SigBusGuard.Unregister(_guard);
            Mapping.Dispose();
            File.Dispose();
        }
    }
}
