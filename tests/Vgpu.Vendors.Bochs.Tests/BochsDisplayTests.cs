using System.Buffers.Binary;
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Gpus;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;
using static Vgpu.Vendors.Bochs.BochsConstants;

namespace Vgpu.Vendors.Bochs.Tests;

public sealed class BochsDisplayTests
{
    [Fact]
    public void Identity_and_regions_are_those_of_bochs_display()
    {
        using var bench = new Bench();
        var config = new byte[64];
        Assert.Equal(Errno.None, bench.Device.ReadRegion(7, 0, config));
        Assert.Equal([0x34, 0x12, 0x11, 0x11], config[..4]);
        Assert.Equal([0x02, 0x00, 0x80, 0x03], config[8..12]);
        Assert.Equal([0xf4, 0x1a, 0x00, 0x11], config[0x2c..0x30]);
        Assert.Equal(0, config[0x3d]);
        Assert.Equal(8, config[0x10] & 0xf);
        Assert.Equal(0, config[0x18] & 0xf);

        VfioRegion memory = bench.Device.Regions[0];
        Assert.Equal(VfioRegionFlags.VFIO_REGION_INFO_FLAG_READ | VfioRegionFlags.VFIO_REGION_INFO_FLAG_WRITE | VfioRegionFlags.VFIO_REGION_INFO_FLAG_MMAP, memory.Flags);
        Assert.Equal((16UL << 20, 0UL), (memory.Size, memory.FileOffset));
        Assert.Equal(16UL << 20, memory.File!.Inspect().Size);
        Assert.Equal(Seals.F_SEAL_SHRINK | Seals.F_SEAL_GROW | Seals.F_SEAL_SEAL, MemFd.GetSeals(memory.File));
        VfioRegion registers = bench.Device.Regions[2];
        Assert.Equal((VfioRegionFlags.VFIO_REGION_INFO_FLAG_READ | VfioRegionFlags.VFIO_REGION_INFO_FLAG_WRITE, 4096UL), (registers.Flags, registers.Size));
        Assert.All(new[] { 1, 3, 4, 5, 6 }, index => Assert.Equal(0UL, bench.Device.Regions[index].Size));
        Assert.Equal([0u, 0u, 0u, 1u, 1u], bench.Device.Irqs.Select(irq => irq.Count));
    }

    [Fact]
    public void Interrupt_pin_stays_zero_after_reset()
    {
        using var bench = new Bench();
        bench.Device.Reset();
        var pin = new byte[1];
        bench.Device.ReadRegion(7, 0x3d, pin);
        Assert.Equal(0, pin[0]);
    }

    [Fact]
    public void Registers_read_as_the_specification_says()
    {
        using var bench = new Bench();
        Assert.Equal(VBE_DISPI_ID5, bench.Dispi(VBE_DISPI_INDEX_ID));
        Assert.Equal(256u, bench.Dispi(VBE_DISPI_INDEX_VIDEO_MEMORY_64K));
        for (int index = 0; index < VBE_DISPI_INDEX_NB; index++)
        {
            bench.Dispi(index, 0x1230 + index);
        }

        for (int index = 1; index < VBE_DISPI_INDEX_VIDEO_MEMORY_64K; index++)
        {
            Assert.Equal((uint)(0x1230 + index), bench.Dispi(index));
        }

        Assert.Equal(VBE_DISPI_ID5, bench.Dispi(VBE_DISPI_INDEX_ID));
        Assert.Equal(256u, bench.Dispi(VBE_DISPI_INDEX_VIDEO_MEMORY_64K));

        bench.Write(0x502, 0x0258_0320, 4);
        Assert.Equal((800u, 600u), (bench.Dispi(VBE_DISPI_INDEX_XRES), bench.Dispi(VBE_DISPI_INDEX_YRES)));
        bench.Write(0x503, 4, 1);
        Assert.Equal(0x0420u, bench.Dispi(VBE_DISPI_INDEX_XRES));
        Assert.Equal(0x04u, bench.Read(0x503, 1));
    }

    [Fact]
    public void Extended_registers_give_size_and_byte_order()
    {
        using var bench = new Bench();
        Assert.Equal(8u, bench.Read(0x600, 4));
        Assert.Equal(PCI_VGA_QEXT_LITTLE_ENDIAN, bench.Read(0x604, 4));
        bench.Write(0x604, PCI_VGA_QEXT_BIG_ENDIAN, 4);
        bench.Write(0x604, 5, 4);
        bench.Write(0x604, PCI_VGA_QEXT_LITTLE_ENDIAN & 0xff, 1);
        bench.Write(0x600, PCI_VGA_QEXT_LITTLE_ENDIAN, 4);
        Assert.Equal(PCI_VGA_QEXT_BIG_ENDIAN, bench.Read(0x604, 4));
        Assert.Equal(8u, bench.Read(0x600, 4));
    }

    [Fact]
    public void The_rest_of_the_window_is_empty_at_every_offset_and_size()
    {
        using var bench = new Bench();
        foreach (int width in new[] { 1, 2, 4 })
        {
            for (ulong offset = 0x400; offset <= 0x1000 - (ulong)width; offset++)
            {
                bench.Write(offset, 0xffffffff, width);
                uint value = bench.Read(offset, width);
                if (offset + (ulong)width <= 0x500 || (offset >= 0x516 && offset + (ulong)width <= 0x600) || offset >= 0x608)
                {
                    Assert.Equal(0u, value);
                }
            }
        }

        Assert.Null(bench.Head.Capture(withCursor: false));
    }

    [Fact]
    public void EDID_is_that_of_the_head()
    {
        using var bench = new Bench();
        Assert.Equal(Edid.Create(new DisplayMode(1024, 768)), Blob(bench)[..128]);
        bench.Head.RequestMode(new DisplayMode(5120, 2880));
        Assert.Equal(Edid.Create(new DisplayMode(1024, 768))[1], (byte)bench.Read(1, 1));
        byte[] blob = Blob(bench);
        Assert.Equal(Edid.Create(new DisplayMode(5120, 2880)), blob[..256]);
        Assert.All(blob[256..], value => Assert.Equal(0, value));

        static byte[] Blob(Bench bench)
        {
            var blob = new byte[PCI_VGA_EDID_SIZE];
            for (int i = 0; i < blob.Length; i++)
            {
                blob[i] = (byte)bench.Read((ulong)i, 1);
            }

            return blob;
        }
    }

    [Theory]
    [InlineData(0, 800, 600, 32, 800, 0, 0, false)]
    [InlineData(1, 800, 600, 32, 800, 0, 0, true)]
    [InlineData(0x41, 800, 600, 32, 0, 0, 0, true)]
    [InlineData(1, 800, 600, 16, 800, 0, 0, true)]
    [InlineData(1, 800, 600, 24, 800, 0, 0, false)]
    [InlineData(1, 800, 600, 8, 800, 0, 0, false)]
    [InlineData(1, 63, 600, 32, 800, 0, 0, false)]
    [InlineData(1, 800, 63, 32, 800, 0, 0, false)]
    [InlineData(1, 64, 64, 32, 64, 0, 0, true)]
    [InlineData(1, 2048, 2048, 32, 2048, 0, 0, true)]
    [InlineData(1, 2048, 2048, 32, 2048, 1, 0, false)]
    [InlineData(1, 2048, 2048, 32, 2049, 0, 0, false)]
    [InlineData(1, 2048, 2049, 32, 2048, 0, 0, false)]
    [InlineData(1, 2048, 1024, 32, 2048, 0, 1024, true)]
    [InlineData(1, 2048, 1024, 32, 2048, 0, 1025, false)]
    [InlineData(1, 65535, 64, 16, 65535, 0, 0, false)]
    [InlineData(1, 65535, 65535, 32, 65535, 65535, 65535, false)]
    [InlineData(1, 64, 64, 32, 65535, 64, 0, true)]
    [InlineData(1, 64, 64, 32, 65535, 65, 0, false)]
    [InlineData(1, 64, 64, 32, 65535, 65535, 65535, false)]
    public void Modes_are_shown_where_they_lie_within_the_memory(int enable, int width, int height, int bits, int virtualWidth, int x, int y, bool shown)
    {
        using var bench = new Bench();
        bench.SetMode(width, height, bits, virtualWidth);
        bench.Dispi(VBE_DISPI_INDEX_VIRT_WIDTH, virtualWidth);
        bench.Dispi(VBE_DISPI_INDEX_X_OFFSET, x);
        bench.Dispi(VBE_DISPI_INDEX_Y_OFFSET, y);
        bench.Dispi(VBE_DISPI_INDEX_ENABLE, enable);

        Picture? picture = bench.Head.Capture(withCursor: true);
        Assert.Equal(shown ? (width, height) : (0, 0), (picture?.Width ?? 0, picture?.Height ?? 0));
    }

    [Fact]
    public void Reset_brings_power_on_back()
    {
        using var bench = new Bench();
        bench.SetMode(640, 480);
        bench.Write(0x604, PCI_VGA_QEXT_BIG_ENDIAN, 4);
        bench.Memory.Span.Fill(0x55);
        Assert.NotNull(bench.Head.Capture(withCursor: false));

        bench.Device.Reset();
        Assert.Null(bench.Head.Capture(withCursor: false));
        Assert.True(bench.Memory.Span.IndexOfAnyExcept((byte)0) < 0);
        Assert.Equal(0u, bench.Dispi(VBE_DISPI_INDEX_XRES));
        Assert.Equal(PCI_VGA_QEXT_LITTLE_ENDIAN, bench.Read(0x604, 4));
        bench.Device.Close();
        bench.SetMode(64, 64);
        Assert.True(bench.Head.Capture(withCursor: false)!.Pixels.Span.IndexOfAnyExcept((byte)0, (byte)255) < 0);
    }

    [Fact]
    public void Disposing_leaves_nothing_on_the_head()
    {
        var bench = new Bench();
        bench.SetMode(640, 480);
        FileDescriptor file = bench.Device.Regions[0].File!;
        bench.Dispose();
        Assert.Null(bench.Head.Capture(withCursor: true));
        Assert.True(file.IsClosed);
        Assert.True(bench.Renderer.IsDisposed);
    }

    [Fact]
    public void An_option_ROM_for_this_device_is_region_6()
    {
        byte[] rom = Rom(0x1234, 0x1111);
        using var bench = new Bench(new VgpuOptions { Name = "rom", Rom = rom });
        Assert.Equal(2048UL, bench.Device.Regions[6].Size);
        var read = new byte[rom.Length];
        Assert.Equal(Errno.None, bench.Device.ReadRegion(6, 0, read));
        Assert.Equal(rom, read);
    }

    public static TheoryData<string, VgpuOptions> Refused => new()
    {
        { "two heads", new VgpuOptions { Name = "x", Heads = 2 } },
        { "MSI-X", new VgpuOptions { Name = "x", Msix = true } },
        { "blobs", new VgpuOptions { Name = "x", GuestBlobs = true } },
        { "small memory", new VgpuOptions { Name = "x", VideoMemory = (4 << 20) - 1 } },
        { "big memory", new VgpuOptions { Name = "x", VideoMemory = (256 << 20) + 1 } },
        { "mode without memory", new VgpuOptions { Name = "x", Mode = new DisplayMode(3840, 2160), VideoMemory = 16 << 20 } },
        { "huge mode", new VgpuOptions { Name = "x", Mode = new DisplayMode(16384, 16384) } },
        { "tiny mode", new VgpuOptions { Name = "x", Mode = new DisplayMode(63, 64) } },
        { "no mode", new VgpuOptions { Name = "x", Mode = default } },
        { "ROM of another", new VgpuOptions { Name = "x", Rom = Rom(0x1af4, 0x1050) } },
        { "no ROM", new VgpuOptions { Name = "x", Rom = new byte[4096] } },
        { "short ROM", new VgpuOptions { Name = "x", Rom = new byte[] { 0x55, 0xaa } } },
        { "cut ROM", new VgpuOptions { Name = "x", Rom = Rom(0x1234, 0x1111).AsMemory(0, 50) } },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Options_that_do_not_suit_are_refused(string what, VgpuOptions options)
    {
        Assert.NotEmpty(what);
        ArgumentException e = Assert.Throws<ArgumentException>(() => new Bench(options));
        Assert.DoesNotContain("Parameter", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_its_own_type_is_made()
    {
        using var iommu = new Type2(NullLogger.Instance);
        using var renderer = new Bench.NoRenderer();
        Assert.Throws<ArgumentException>(() => new BochsVendor().Create(new VgpuType("vga", "", 1, 0), new VgpuOptions { Name = "x" }, iommu, renderer, NullLogger.Instance));
    }

    [Theory]
    [InlineData(1024, 768, 0UL, 16)]
    [InlineData(3840, 2160, 0UL, 32)]
    [InlineData(1024, 768, 5UL << 20, 8)]
    [InlineData(7680, 4320, 0UL, 128)]
    public void Video_memory_is_a_power_of_two_that_holds_the_mode(int width, int height, ulong asked, int mebibytes)
    {
        using var bench = new Bench(new VgpuOptions { Name = "memory", Mode = new DisplayMode(width, height), VideoMemory = asked });
        Assert.Equal((ulong)mebibytes << 20, bench.Device.Regions[0].Size);
        Assert.Equal((uint)mebibytes * 16, bench.Dispi(VBE_DISPI_INDEX_VIDEO_MEMORY_64K));
    }

    private static byte[] Rom(ushort vendor, ushort device)
    {
        var rom = new byte[1024];
        rom[0] = 0x55;
        rom[1] = 0xaa;
        rom[2] = 2;
        rom[0x18] = 0x40;
        "PCIR"u8.CopyTo(rom.AsSpan(0x40));
        BinaryPrimitives.WriteUInt16LittleEndian(rom.AsSpan(0x44), vendor);
        BinaryPrimitives.WriteUInt16LittleEndian(rom.AsSpan(0x46), device);
        return rom;
    }
}
