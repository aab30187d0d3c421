using System.Buffers.Binary;
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Gpus;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;
using static Vgpu.Vendors.Bochs.BochsConstants;

namespace Vgpu.Vendors.Bochs.Tests;

// A bochs-display with the client's mapping of its framebuffer, driven as a guest drives it.
internal sealed class Bench : IDisposable
{
    private readonly Type2 _iommu = new(NullLogger.Instance);

    internal Bench(VgpuOptions? options = null, int type = 0)
    {
        var vendor = new BochsVendor();
        Renderer = new NoRenderer();
        Instance = vendor.Create(vendor.Types[type], options ?? new VgpuOptions { Name = "test" }, _iommu, Renderer, NullLogger.Instance);
        Memory = MemoryMapping.Share(Device.Regions[0].File!, 0, Device.Regions[0].Size, MemoryProtection.ReadWrite);
    }

    internal VgpuInstance Instance { get; }

    internal NoRenderer Renderer { get; }

    internal VfioDevice Device => Instance.Device;

    internal Head Head => Instance.Screen.Heads[0];

    /// <summary>What the client maps.</summary>
    internal MemoryMapping Memory { get; }

    internal uint Read(ulong offset, int width)
    {
        Span<byte> data = stackalloc byte[4];
        data.Clear();
        Assert.Equal(Errno.None, Device.ReadRegion(2, offset, data[..width]));
        return BinaryPrimitives.ReadUInt32LittleEndian(data);
    }

    internal void Write(ulong offset, uint value, int width)
    {
        Span<byte> data = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(data, value);
        Assert.Equal(Errno.None, Device.WriteRegion(2, offset, data[..width]));
    }

    internal void Dispi(int index, int value) => Write((ulong)(PCI_VGA_BOCHS_OFFSET + (2 * index)), (uint)value, 2);

    internal uint Dispi(int index) => Read((ulong)(PCI_VGA_BOCHS_OFFSET + (2 * index)), 2);

    /// <summary>As Linux's bochs driver sets a mode.</summary>
    internal void SetMode(int width, int height, int bits = 32, int virtualWidth = 0)
    {
        Dispi(VBE_DISPI_INDEX_ENABLE, 0);
        Dispi(VBE_DISPI_INDEX_BPP, bits);
        Dispi(VBE_DISPI_INDEX_XRES, width);
        Dispi(VBE_DISPI_INDEX_YRES, height);
        Dispi(VBE_DISPI_INDEX_BANK, 0);
        Dispi(VBE_DISPI_INDEX_VIRT_WIDTH, virtualWidth == 0 ? width : virtualWidth);
        Dispi(VBE_DISPI_INDEX_VIRT_HEIGHT, height);
        Dispi(VBE_DISPI_INDEX_X_OFFSET, 0);
        Dispi(VBE_DISPI_INDEX_Y_OFFSET, 0);
        Dispi(VBE_DISPI_INDEX_ENABLE, VBE_DISPI_ENABLED | VBE_DISPI_LFB_ENABLED);
    }

    public void Dispose()
    {
        Memory.Dispose();
        Instance.Dispose();
        _iommu.Dispose();
    }

    internal sealed class NoRenderer : IRenderer
    {
        internal bool IsDisposed { get; private set; }

        public string Name => "none";

        public IRendererResource? CreateResource2D(PixelFormat format, int width, int height) => null;

        public void Dispose() => IsDisposed = true;
    }
}
