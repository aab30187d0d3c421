using Vgpu.Gpus;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Vfio;
using Vgpu.VfioUser;
using static Vgpu.Vendors.Bochs.BochsConstants;

namespace Vgpu.Vendors.Bochs.Tests;

// A bochs-display that moves: registers, framebuffer and picture are the same, and nothing else's state is taken.
public sealed class StateTests
{
    [Theory]
    [InlineData(32, false)]
    [InlineData(32, true)]
    [InlineData(16, false)]
    public void Registers_framebuffer_and_picture_move(int bits, bool bigEndian)
    {
        using var from = new Bench();
        using var to = new Bench(new VgpuOptions { Name = "to", Mode = new DisplayMode(640, 480) });
        Draw(from, bits, bigEndian);
        to.SetMode(64, 64);
        to.Memory.Span[^1] = 9; // Gone after the move.
        byte[] state = Move.Save(from.Device);
        Assert.Equal(Errno.None, Move.Load(to.Device, state));
        Assert.Equal(state, Move.Save(to.Device));
        Move.Run(to.Device);
        AssertSame(from, to);
        Assert.True(from.Memory.Span.SequenceEqual(to.Memory.Span));

        // The guest goes on drawing.
        to.Memory.Span[0] ^= 0xff;
        from.Memory.Span[0] ^= 0xff;
        AssertSame(from, to);
    }

    [Fact]
    public void Only_what_was_written_to_is_moved()
    {
        using var from = new Bench();
        int empty = Move.Save(from.Device).Length;
        Move.Run(from.Device);
        from.Memory.Span[5_000_000] = 1;
        Assert.InRange(Move.Save(from.Device).Length, empty + 4096, empty + 8192);
    }

    [Fact]
    public void A_display_that_is_off_stays_off()
    {
        using var from = new Bench();
        using var to = new Bench();
        to.SetMode(640, 480);
        Assert.Equal(Errno.None, Move.Load(to.Device, Move.Save(from.Device)));
        Assert.Null(to.Head.Capture(withCursor: true));
    }

    [Fact]
    public void An_EDID_that_is_being_read_is_read_to_its_end()
    {
        using var from = new Bench();
        using var to = new Bench();
        _ = from.Read(0, 4);
        from.Head.RequestMode(new DisplayMode(5120, 2880));
        Assert.Equal(Errno.None, Move.Load(to.Device, Move.Save(from.Device)));
        byte[] before = Edid.Create(new DisplayMode(1024, 768));
        byte[] now = Edid.Create(new DisplayMode(5120, 2880));
        Assert.Equal(before[54..58], BitConverter.GetBytes(to.Read(54, 4)));
        Assert.Equal(now[..4], BitConverter.GetBytes(to.Read(0, 4)));
        Assert.Equal(now[54..58], BitConverter.GetBytes(to.Read(54, 4)));
    }

    [Fact]
    public void The_state_of_another_is_refused()
    {
        using var from = new Bench();
        Draw(from, 32, false);
        using var larger = new Bench(new VgpuOptions { Name = "larger", VideoMemory = 32 << 20 });
        using var smaller = new Bench(new VgpuOptions { Name = "smaller", VideoMemory = 8 << 20 });
        byte[] state = Move.Save(from.Device);
        Move.AssertRefused(larger.Device, state);
        Move.AssertRefused(smaller.Device, state);
        Assert.Null(smaller.Head.Capture(withCursor: false));
    }

    [Fact]
    public void A_damaged_state_is_refused_or_taken_as_it_is()
    {
        using var from = new Bench(new VgpuOptions { Name = "from", VideoMemory = 4 << 20 });
        from.SetMode(64, 64, bits: 16);
        new Random(3).NextBytes(from.Memory.Span[..4096]);
        byte[] state = Move.Save(from.Device);
        using var to = new Bench(new VgpuOptions { Name = "to", VideoMemory = 4 << 20 });
        int descriptors = OwnDescriptors.Count("/memfd:to");
        Move.AssertTruncatedRefused(to.Device, state);
        Assert.Equal(-1, to.Memory.Span.IndexOfAnyExcept((byte)0));
        Assert.InRange(Move.FlipBits(to.Device, state, step: 19), 100, state.Length * 8);
        Assert.Equal(descriptors, OwnDescriptors.Count("/memfd:to"));
        Assert.Equal(Errno.None, Move.Load(to.Device, state));
        AssertSame(from, to);
    }

    [Fact]
    public void It_moves_to_another_server_between_two_reads_of_its_client()
    {
        using var folder = new TemporaryFolder();
        using var from = new Bench();
        using var to = new Bench();
        using var first = new VfioUserServer(folder.File("first.sock"), from.Device);
        using var second = new VfioUserServer(folder.File("second.sock"), to.Device);
        first.Start();
        second.Start();
        using var source = new RemoteDevice(first.SocketPath);
        using var target = new RemoteDevice(second.SocketPath);
        Draw(from, 32, false);
        byte[] registers = source.ReadAll(2, 0x1000);
        byte[] config = source.ReadAll(7, 0x100);

        byte[] state = source.Save();
        target.Load(state);
        target.Run();

        Assert.Equal(registers, target.ReadAll(2, 0x1000));
        Assert.Equal(config, target.ReadAll(7, 0x100));
        using var seen = MemoryMapping.Share(target.Regions[0].File!, 0, target.Regions[0].Size, MemoryProtection.ReadWrite);
        Assert.True(from.Memory.Span.SequenceEqual(seen.Span));
        AssertSame(from, to);

        var e = Assert.Throws<VfioUserException>(() => target.Load(state.AsSpan(0, state.Length - 1)));
        Assert.Equal(Errno.EINVAL, e.Errno);
        Assert.Equal(Vfio.Migration.VfioDeviceState.VFIO_DEVICE_STATE_ERROR, target.Client.GetDeviceState());
        target.Reset();
        Assert.Equal(Vfio.Migration.VfioDeviceState.VFIO_DEVICE_STATE_RUNNING, target.Client.GetDeviceState());
        target.Load(state);
        AssertSame(from, to);
    }

    private static void Draw(Bench bench, int bits, bool bigEndian)
    {
        bench.SetMode(320, 200, bits, virtualWidth: 400);
        bench.Dispi(VBE_DISPI_INDEX_Y_OFFSET, 7);
        if (bigEndian)
        {
            bench.Write(0x604, PCI_VGA_QEXT_BIG_ENDIAN, 4);
        }

        Span<byte> word = [2, 0];
        Assert.Equal(Errno.None, bench.Device.WriteRegion(VfioPciRegions.VFIO_PCI_CONFIG_REGION_INDEX, 4, word));
        new Random(1).NextBytes(bench.Memory.Span[..(400 * 210 * 4)]);
        bench.Memory.Span[^1] = 0x77;
        bench.Head.RequestMode(new DisplayMode(1280, 800));
    }

    private static void AssertSame(Bench from, Bench to)
    {
        for (ulong offset = 0; offset < 0x1000; offset += 4)
        {
            Assert.Equal(from.Read(offset, 4), to.Read(offset, 4));
        }

        Picture expected = from.Head.Capture(withCursor: true)!;
        Picture actual = to.Head.Capture(withCursor: true)!;
        Assert.Equal((expected.Width, expected.Height), (actual.Width, actual.Height));
        Assert.True(expected.Pixels.Span.SequenceEqual(actual.Pixels.Span));
        Assert.Equal(from.Head.PreferredMode, to.Head.PreferredMode);
    }
}
