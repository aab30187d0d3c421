// The vendor: what it offers, what it refuses, and an instance that a client could open.
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Gpus;
using Vgpu.Host.Software;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Vendors.VirtioGpu.Tests;

public sealed class VirtioVendorTests
{
    private static readonly VgpuOptions _plain = new() { Name = "test" };

    public static TheoryData<string, VgpuOptions> Refused => new()
    {
        { "0 heads", _plain with { Heads = 0 } },
        { "17 heads", _plain with { Heads = 17 } },
        { "mode 0x600", _plain with { Mode = new DisplayMode(0, 600) } },
        { "mode 20000x600", _plain with { Mode = new DisplayMode(20_000, 600) } },
        { "refresh", _plain with { Mode = new DisplayMode(800, 600, 0) } },
        { "video memory", _plain with { VideoMemory = 1 << 20 } },
    };

    [Fact]
    public void It_makes_a_virtio_gpu()
    {
        using var iommu = new Type2(NullLogger.Instance);
        var vendor = new VirtioVendor();
        Assert.Equal("virtio", vendor.Name);
        VgpuType type = vendor.Types[0];
        Assert.Equal(("virtio-gpu", 16, "vfio-user-pci"), (type.Name, type.MaxHeads, type.DeviceApi));
        using VgpuInstance instance = vendor.Create(type, _plain with { Heads = 2 }, iommu, new SoftwareRenderer(), NullLogger.Instance);
        Assert.Equal(2, instance.Screen.Heads.Count);
        var header = new byte[16];
        Assert.Equal(Errno.None, instance.Device.ReadRegion(VfioPciRegions.VFIO_PCI_CONFIG_REGION_INDEX, 0, header));
        Assert.Equal([0xf4, 0x1a, 0x50, 0x10], header[..4]);
        Assert.Equal([0x00, 0x80, 0x03], header[9..12]);
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_does_not_suit_is_refused_in_words(string words, VgpuOptions options)
    {
        using var iommu = new Type2(NullLogger.Instance);
        using var renderer = new SoftwareRenderer();
        var vendor = new VirtioVendor();
        ArgumentException refused = Assert.Throws<ArgumentException>(() => vendor.Create(vendor.Types[0], options, iommu, renderer, NullLogger.Instance));
        Assert.Contains(words, refused.Message, StringComparison.Ordinal);
    }
}
