// What makes a small device small: registers by name and width, memory that a client maps, a thread, no interrupts.
using Vgpu.Linux;
using Vgpu.Vfio;
using static Vgpu.Pci.PciRegisters;
using static Vgpu.Vfio.VfioPciRegions;

namespace Vgpu.Pci.Tests;

public sealed class SmallDeviceTests : IDisposable
{
    private const int Registers = 2;
    private readonly SmallDevice _device = new();

    [Fact]
    public void A_register_is_read_and_written_whole()
    {
        Assert.Equal([0x11, 0x22, 0x33, 0x44], _device.ReadBytes(Registers, 0x10, 4));
        _device.WriteBytes(Registers, 0x14, 0xcd, 0xab);
        _device.WriteBytes(Registers, 0x18, 8, 7, 6, 5, 4, 3, 2, 1);
        _device.WriteBytes(Registers, 0x10, 9, 9, 9, 9);
        Assert.Equal(0xabcd, _device.Short);
        Assert.Equal(0x0102030405060708UL, _device.Long);
        Assert.Equal([8, 7, 6, 5, 4, 3, 2, 1], _device.ReadBytes(Registers, 0x18, 8));
    }

    [Fact]
    public void A_part_of_a_register_leaves_the_rest()
    {
        _device.Long = 0x0102030405060708;
        Assert.Equal([0x22, 0x33], _device.ReadBytes(Registers, 0x11, 2));
        Assert.Equal([4, 3, 2, 1], _device.ReadBytes(Registers, 0x1c, 4));
        _device.WriteBytes(Registers, 0x1c, 0xa, 0xb, 0xc, 0xd);
        _device.WriteBytes(Registers, 0x19, 0xff);
        Assert.Equal(0x0d0c0b0a0506ff08UL, _device.Long);
        _device.WriteBytes(Registers, 0x15, 0x77);
        Assert.Equal(0x7700, _device.Short);
    }

    [Fact]
    public void A_long_access_goes_to_each_register_and_holes_are_zero()
    {
        _device.Long = ulong.MaxValue;
        Assert.Equal(
            [0x7f, 0, 0, 0, 0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44, 0, 0, 0, 0, 0xff],
            _device.ReadBytes(Registers, 0x08, 17));
        _device.WriteBytes(Registers, 0x07, [.. Enumerable.Range(1, 15).Select(i => (byte)i)]);
        Assert.Equal(2, _device.Byte);
        Assert.Equal(0x0f0e, _device.Short);
        Assert.All(_device.ReadBytes(Registers, 0x20, 4096 - 0x20), value => Assert.Equal(0, value));
    }

    [Theory]
    [InlineData(0x0f)]
    [InlineData(0x13)]
    [InlineData(0x1c)]
    [InlineData(4094)]
    [InlineData(4096)]
    [InlineData(-1L)]
    public void A_register_has_a_place_of_its_own_in_the_BAR(long offset) =>
        Assert.Throws<ArgumentException>(() => _device.Registers.Add<uint>((ulong)offset));

    [Fact]
    public void A_register_is_no_wider_than_a_bus_access() =>
        Assert.Throws<ArgumentException>(() => _device.Registers.Add<UInt128>(0x100));

    [Fact]
    public void Memory_is_what_a_client_maps_and_what_messages_reach()
    {
        VfioRegion region = _device.Regions[0];
        using MemoryMapping mapped = MemoryMapping.Share(region.File!, 0, region.Size, MemoryProtection.ReadWrite);
        mapped.Span[5] = 0x42;
        _device.WriteBytes(0, 6, 0x43);
        Assert.Equal([0x42, 0x43], _device.Memory.Span.Slice(5, 2).ToArray());
        Assert.Equal([0, 0x42, 0x43], _device.ReadBytes(0, 4, 3));
        Assert.True(region.Flags.HasFlag(VfioRegionFlags.VFIO_REGION_INFO_FLAG_MMAP));
        _device.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _device.Memory.Span.Length);
    }

    [Fact]
    public void Without_interrupts_there_is_no_pin()
    {
        Assert.Equal([0u, 0u, 0u, 1u, 1u], _device.Irqs.Select(i => i.Count));
        Assert.Equal([0], _device.ReadBytes(VFIO_PCI_CONFIG_REGION_INDEX, PCI_INTERRUPT_PIN, 1));
        Assert.Equal([0x34, 0x12, 0x78, 0x56], _device.ReadBytes(VFIO_PCI_CONFIG_REGION_INDEX, PCI_VENDOR_ID, 4));
        Assert.Equal([0, 0, 0, 0xff], _device.ReadBytes(VFIO_PCI_CONFIG_REGION_INDEX, PCI_REVISION_ID, 4));
    }

    [Fact]
    public void A_thread_works_each_time_it_is_woken_until_the_device_is_disposed()
    {
        using var worked = new SemaphoreSlim(0);
        _device.Work = () => worked.Release();
        for (int i = 0; i < 3; i++)
        {
            _device.Thread.Wake();
            Assert.True(worked.Wait(TimeSpan.FromSeconds(60)));
        }

        _device.Dispose();
        _device.Thread.Wake();
        Assert.False(worked.Wait(0));
    }

    [Fact]
    public void Its_own_domain_ends_with_it()
    {
        Assert.Equal(Errno.None, _device.Iommu.Map(0, 4096, Vfio.Iommu.IommuProtection.IOMMU_READ, null, 0));
        _device.Dispose();
        Assert.Equal(Errno.ENODEV, _device.Iommu.Map(4096, 4096, Vfio.Iommu.IommuProtection.IOMMU_READ, null, 0));
    }

    public void Dispose() => _device.Dispose();
}
