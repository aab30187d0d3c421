// Config space, BARs and their sizing, the ROM, capabilities, command and reset.
using Vgpu.Linux;
using Vgpu.Vfio;
using static Vgpu.Pci.PciRegisters;
using static Vgpu.Pci.Tests.PlainFunction;

namespace Vgpu.Pci.Tests;

public sealed class ConfigSpaceTests
{
    [Fact]
    public void The_header_says_who_it_is_and_writes_change_nothing_of_that()
    {
        using var function = new PlainFunction();
        byte[] before = new byte[4096];
        Assert.Equal(Errno.None, function.ReadRegion(Config, 0, before));
        Assert.Equal(0x1111_1234u, function.Read(Config, PCI_VENDOR_ID, 4));
        Assert.Equal(0x0300_0002u, function.Read(Config, PCI_REVISION_ID, 4));
        Assert.Equal(0x1100_1af4u, function.Read(Config, PCI_SUBSYSTEM_VENDOR_ID, 4));
        Assert.Equal(1u, function.Read(Config, PCI_INTERRUPT_PIN, 1));
        Assert.Equal(0u, function.Read(Config, PCI_STATUS, 2));
        Assert.All(before[256..], b => Assert.Equal(0, b));

        byte[] ones = new byte[4096];
        Array.Fill(ones, (byte)0xff);
        Assert.Equal(Errno.None, function.WriteRegion(Config, 0, ones));
        byte[] after = new byte[4096];
        Assert.Equal(Errno.None, function.ReadRegion(Config, 0, after));
        int[] changed = [.. Enumerable.Range(0, 4096).Where(i => before[i] != after[i])];
        int[] writable =
        [
            PCI_COMMAND, PCI_COMMAND + 1, PCI_CACHE_LINE_SIZE, 0x12, 0x13, 0x1c, 0x1d, 0x1e, 0x1f, PCI_INTERRUPT_LINE,
        ];
        Assert.All(changed, i => Assert.Contains(i, writable));
        function.Reset();
        Assert.Equal(Errno.None, function.ReadRegion(Config, 0, after));
        Assert.Equal(before, after);
    }

    [Fact]
    public void Regions_are_those_of_vfio_pci()
    {
        using var function = new PlainFunction(rom: new byte[5000]);
        Assert.Equal(9, function.Regions.Count);
        Assert.Equal((1UL << 20, function.Memory), (function.Regions[0].Size, function.Regions[0].File));
        Assert.True(function.Regions[0].Flags.HasFlag(VfioRegionFlags.VFIO_REGION_INFO_FLAG_MMAP));
        Assert.Equal(8UL << 30, function.Regions[2].Size);
        Assert.All(new[] { 1, 3, 4, 5, 8 }, i => Assert.Equal(0UL, function.Regions[i].Size));
        Assert.Equal((8192UL, VfioRegionFlags.VFIO_REGION_INFO_FLAG_READ), (function.Regions[6].Size, function.Regions[6].Flags));
        Assert.Equal(4096UL, function.Regions[7].Size);
    }

    [Theory]
    [InlineData(0x10, 0xfff00008)]
    [InlineData(0x14, 0)]
    [InlineData(0x18, 0x0000000c)]
    [InlineData(0x1c, 0xfffffffe)]
    [InlineData(0x20, 0)]
    [InlineData(0x30, 0xffffe001)]
    public void Base_addresses_are_sized_by_writing_ones(int register, uint reads)
    {
        using var function = new PlainFunction(rom: new byte[5000]);
        function.Write(Config, (ulong)register, 0xffffffff, 4);
        Assert.Equal(reads, function.Read(Config, (ulong)register, 4));
    }

    [Fact]
    public void The_ROM_reads_as_its_image_and_then_ones()
    {
        byte[] image = new byte[5000];
        Random.Shared.NextBytes(image);
        using var function = new PlainFunction(rom: image);
        byte[] read = new byte[8192];
        Assert.Equal(Errno.None, function.ReadRegion(6, 0, read));
        Assert.Equal(image, read[..5000]);
        Assert.All(read[5000..], b => Assert.Equal(0xff, b));
        Assert.Equal(0xffffffffu, function.Read(6, 8188, 4));
    }

    [Fact]
    public void Without_a_ROM_its_register_is_zero()
    {
        using var function = new PlainFunction();
        function.Write(Config, PCI_ROM_ADDRESS, 0xffffffff, 4);
        Assert.Equal(0u, function.Read(Config, PCI_ROM_ADDRESS, 4));
        Assert.Equal(Errno.EINVAL, function.ReadRegion(6, 0, new byte[1]));
    }

    [Fact]
    public void A_memory_BAR_is_the_memory_that_the_client_maps()
    {
        using var function = new PlainFunction();
        using var mapping = MemoryMapping.Share(function.Memory, 0, 1 << 20, MemoryProtection.ReadWrite);
        function.Write(0, (1 << 20) - 4, 0x12345678, 4);
        Assert.Equal(0x78, mapping.Span[(1 << 20) - 4]);
        mapping.Span[7] = 9;
        Assert.Equal(9u, function.Read(0, 7, 1));
    }

    [Theory]
    [InlineData(-1, 0, 1)]
    [InlineData(9, 0, 1)]
    [InlineData(1, 0, 1)]
    [InlineData(8, 0, 1)]
    [InlineData(7, 4096, 1)]
    [InlineData(7, 4095, 2)]
    [InlineData(0, 1 << 20, 1)]
    [InlineData(0, long.MaxValue, 8)]
    [InlineData(0, -1, 8)]
    public void An_access_beyond_a_region_is_refused(int region, long offset, int length)
    {
        using var function = new PlainFunction();
        Assert.Equal(Errno.EINVAL, function.ReadRegion(region, (ulong)offset, new byte[length]));
        Assert.Equal(Errno.EINVAL, function.WriteRegion(region, (ulong)offset, new byte[length]));
    }

    [Fact]
    public void A_trapped_BAR_sees_its_own_offsets()
    {
        using var function = new PlainFunction();
        Assert.Equal(0x5a5a5a5au, function.Read(2, 5UL << 30, 4));
        Assert.Equal(5UL << 30, function.Registers.LastOffset);
    }

    [Fact]
    public void Bus_mastering_follows_the_command_register_and_ends_with_a_reset()
    {
        using var function = new PlainFunction();
        function.Write(Config, PCI_COMMAND, PCI_COMMAND_MASTER, 2);
        Assert.True(function.Iommu.BusMaster);
        function.Write(Config, PCI_COMMAND, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY, 2);
        function.Write(Config, PCI_COMMAND, PCI_COMMAND_MEMORY, 1);
        Assert.False(function.Iommu.BusMaster);
        function.Write(Config, PCI_COMMAND, PCI_COMMAND_MASTER, 1);
        function.Reset();
        Assert.False(function.Iommu.BusMaster);
        Assert.Equal([true, false, true, false], function.BusMaster);
        Assert.Equal(1, function.Resets);
    }

    [Fact]
    public void Capabilities_are_a_list()
    {
        using var function = new PlainFunction(PciInterruptMode.Msix);
        int first = function.AddCapability(PCI_CAP_ID_VNDR, [5, 1, 2]);
        int second = function.AddWritableCapability(PCI_CAP_ID_PM, [3, 0, 0, 0], [0, 0, 3]);
        List<(int At, uint Id)> list = [];
        for (uint at = function.Read(Config, PCI_CAPABILITY_LIST, 1); at != 0; at = function.Read(Config, at + 1, 1))
        {
            list.Add(((int)at, function.Read(Config, at, 1)));
        }

        Assert.Equal([(0x40, PCI_CAP_ID_MSIX), (first, PCI_CAP_ID_VNDR), (second, PCI_CAP_ID_PM)], list);
        Assert.Equal(PCI_STATUS_CAP_LIST, function.Read(Config, PCI_STATUS, 2));
        function.Write(Config, (ulong)second + 4, 0xffff, 2);
        Assert.Equal(3u, function.Read(Config, (ulong)second + 4, 2));
        Assert.Throws<InvalidOperationException>(() => function.AddCapability(PCI_CAP_ID_VNDR, [4, 0]));
    }

    [Fact]
    public void BARs_that_can_not_be_are_refused()
    {
        using var function = new PlainFunction();
        Assert.Throws<ArgumentException>(() => function.AddBar(new PciBar { Index = 0, Size = 4096, Handler = function.Registers }));
        Assert.Throws<ArgumentException>(() => function.AddBar(new PciBar { Index = 3, Size = 4096, Handler = function.Registers }));
        Assert.Throws<ArgumentException>(() => function.AddBar(new PciBar { Index = 1, Size = 4096, Is64Bit = true, Handler = function.Registers }));
        Assert.Throws<ArgumentException>(() => function.AddBar(new PciBar { Index = 5, Size = 4096, Is64Bit = true, Handler = function.Registers }));
        Assert.Throws<ArgumentException>(() => function.AddBar(new PciBar { Index = 4, Size = 4097, Handler = function.Registers }));
        Assert.Throws<ArgumentException>(() => function.AddBar(new PciBar { Index = 4, Size = 1UL << 32, Handler = function.Registers }));
        Assert.Throws<ArgumentException>(() => function.AddBar(new PciBar { Index = 4, Size = 4096 }));
        Assert.Throws<ArgumentException>(() => function.AddBar(new PciBar { Index = 6, Size = 4096, Handler = function.Registers }));
    }

    [Fact]
    public void Unmaps_reach_the_device_with_the_lock_held()
    {
        using var function = new PlainFunction();
        function.DmaUnmap(0x1000, 0x2000);
        Assert.Equal([(0x1000UL, 0x2000UL)], function.Unmaps);
    }
}
