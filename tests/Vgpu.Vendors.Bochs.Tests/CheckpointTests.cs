using System.Collections.Concurrent;
using Vgpu.Gpus;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Vfio;
using static Vgpu.Vendors.Bochs.BochsConstants;

namespace Vgpu.Vendors.Bochs.Tests;

// A bochs-display whose process is killed, and what its owner changes and hears while it runs.
public sealed class CheckpointTests
{
    [Fact]
    public void Registers_come_back_and_the_framebuffer_was_never_gone()
    {
        using var files = new KeptFiles();
        using var file = new CheckpointFile();
        var options = new VgpuOptions { Name = "kept", MemoryFiles = files };
        using var first = new Bench(options);
        file.Keep(first.Device);
        first.SetMode(320, 200, 16, virtualWidth: 400);
        first.Dispi(VBE_DISPI_INDEX_Y_OFFSET, 7);
        first.Write(0x604, PCI_VGA_QEXT_BIG_ENDIAN, 4);
        Span<byte> word = [2, 0];
        Assert.Equal(Errno.None, first.Device.WriteRegion(VfioPciRegions.VFIO_PCI_CONFIG_REGION_INDEX, 4, word));
        new Random(1).NextBytes(first.Memory.Span);
        first.Instance.SetMode(new DisplayMode(1280, 800));
        byte[] registers = [.. Enumerable.Range(0, 0x400).SelectMany(i => BitConverter.GetBytes(first.Read((ulong)i * 4, 4)))];
        byte[] config = Config(first);
        Picture expected = first.Head.Capture(withCursor: false)!;
        CheckpointFile.Kill(first.Device);

        // The client's mapping is of the same file, and it draws while nobody serves it.
        using var second = new Bench(options);
        Assert.True(first.Memory.Span.SequenceEqual(second.Memory.Span));
        file.Keep(second.Device);
        Assert.True(second.Device.TryRestore(out string? why), why);
        Assert.Equal(registers, Enumerable.Range(0, 0x400).SelectMany(i => BitConverter.GetBytes(second.Read((ulong)i * 4, 4))));
        Assert.Equal(config, Config(second));
        Assert.True(expected.Pixels.Span.SequenceEqual(second.Head.Capture(withCursor: false)!.Pixels.Span));
        first.Memory.Span[7 * 800] ^= 0xff;
        Assert.False(expected.Pixels.Span.SequenceEqual(second.Head.Capture(withCursor: false)!.Pixels.Span));
        Assert.Equal(new DisplayMode(1280, 800), second.Head.PreferredMode);

        second.Device.Reset();
        Assert.Equal(-1, first.Memory.Span.IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public void It_is_killed_after_any_register_and_the_next_goes_on()
    {
        using var files = new KeptFiles();
        using var file = new CheckpointFile();
        var options = new VgpuOptions { Name = "kept", MemoryFiles = files };
        var benches = new List<Bench> { new(options) };
        file.Keep(benches[0].Device);
        var random = new Random(5);
        var registers = new uint[VBE_DISPI_INDEX_NB];
        for (int round = 0; round < 60; round++)
        {
            int index = random.Next(1, VBE_DISPI_INDEX_VIDEO_MEMORY_64K);
            registers[index] = (uint)random.Next(1 << 16);
            benches[^1].Dispi(index, (int)registers[index]);
            CheckpointFile.Kill(benches[^1].Device);
            file.Tear(random);
            benches.Add(new Bench(options));
            file.Keep(benches[^1].Device);
            Assert.True(benches[^1].Device.TryRestore(out string? why), why);
            for (int i = 1; i < VBE_DISPI_INDEX_VIDEO_MEMORY_64K; i++)
            {
                Assert.Equal(registers[i], benches[^1].Dispi(i));
            }
        }

        benches.ForEach(bench => bench.Dispose());
    }

    [Fact]
    public void A_checkpoint_of_another_leaves_a_display_as_after_a_reset()
    {
        using var files = new KeptFiles();
        using var file = new CheckpointFile();
        using var first = new Bench(new VgpuOptions { Name = "first", VideoMemory = 8 << 20 });
        file.Keep(first.Device);
        first.SetMode(320, 200);
        CheckpointFile.Kill(first.Device);
        using var second = new Bench(new VgpuOptions { Name = "second", MemoryFiles = files });
        second.Memory.Span.Fill(1);
        file.Keep(second.Device);
        Assert.False(second.Device.TryRestore(out string? why));
        Assert.Contains("other regions", why, StringComparison.Ordinal);
        Assert.Null(second.Head.Capture(withCursor: false));
        Assert.Equal(-1, second.Memory.Span.IndexOfAnyExcept((byte)0));
        Assert.True(second.Device.TryRestore(out _));
    }

    [Fact]
    public void Without_a_checkpoint_there_is_nothing_to_restore()
    {
        using var file = new CheckpointFile();
        using var bench = new Bench();
        Assert.False(bench.Device.TryRestore(out string? why));
        Assert.Null(why);
        file.Keep(bench.Device);
        Assert.False(bench.Device.TryRestore(out why));
        Assert.Null(why);
    }

    [Fact]
    public void A_memory_file_that_is_too_short_is_refused()
    {
        using var files = new KeptFiles();
        files.Open("bar0", 4096).Dispose();
        ArgumentException e = Assert.Throws<ArgumentException>(() => new Bench(new VgpuOptions { Name = "short", MemoryFiles = files }));
        Assert.Contains("BAR 0", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_mode_is_in_the_EDID_that_is_read_next()
    {
        using var bench = new Bench();
        bench.Instance.SetMode(new DisplayMode(1280, 800));
        byte[] edid = [.. Enumerable.Range(0, 32).SelectMany(i => BitConverter.GetBytes(bench.Read((ulong)i * 4, 4)))];
        Assert.Equal(Edid.Create(new DisplayMode(1280, 800)), edid);
        Assert.Throws<ArgumentException>(() => bench.Instance.SetMode(new DisplayMode(3840, 2160)));
        ArgumentException e = Assert.Throws<ArgumentException>(() => bench.Instance.SetVideoMemory(32 << 20));
        Assert.Contains("can't change while it runs", e.Message, StringComparison.Ordinal);
        bench.Instance.SetVideoMemory(16 << 20);
        Assert.Equal((16UL << 20, 16UL << 20), (bench.Instance.Usage.MemoryUsed, bench.Instance.Usage.MemoryLimit));
    }

    [Fact]
    public void Modes_and_resets_are_told_of()
    {
        using var bench = new Bench();
        var notices = new ConcurrentQueue<VgpuNotice>();
        bench.Instance.Noticed += notices.Enqueue;
        bench.SetMode(640, 480);
        Assert.Equal([new DisplayMode(640, 480)], bench.Instance.Usage.Modes);
        bench.Device.Reset();
        bench.Device.Reset();
        Assert.Equal(["head 0 shows 640x480@60", "head 0 shows nothing", "the guest reset the device"], notices.Select(notice => notice.Text));
        Assert.Equal([null], bench.Instance.Usage.Modes);
    }

    [Fact]
    public void A_small_type_has_small_modes()
    {
        using var bench = new Bench(new VgpuOptions { Name = "small" }, type: 1);
        Assert.Equal(4UL << 20, bench.Device.Regions[0].Size);
        bench.SetMode(1024, 768);
        Assert.NotNull(bench.Head.Capture(withCursor: false));
        bench.SetMode(1025, 768);
        Assert.Null(bench.Head.Capture(withCursor: false));
        Assert.Equal(Enumerable.Repeat((byte)1, 16), bench.Head.Edid.Span.Slice(38, 16).ToArray());
        Assert.Throws<ArgumentException>(() => new Bench(new VgpuOptions { Name = "small", Mode = new DisplayMode(1025, 768) }, type: 1));
        using var large = new Bench(new VgpuOptions { Name = "large", Mode = new DisplayMode(3840, 2160) }, type: 2);
        Assert.Equal(64UL << 20, large.Device.Regions[0].Size);
    }

    private static byte[] Config(Bench bench)
    {
        var config = new byte[256];
        Assert.Equal(Errno.None, bench.Device.ReadRegion(VfioPciRegions.VFIO_PCI_CONFIG_REGION_INDEX, 0, config));
        return config;
    }
}
