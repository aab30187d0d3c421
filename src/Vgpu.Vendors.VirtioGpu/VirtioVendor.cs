// The vendor of virtio GPUs: what it offers and how an instance is put together.
using Microsoft.Extensions.Logging;
using Vgpu.Gpus;
using Vgpu.Pci;
using Vgpu.Screens;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;
using Vgpu.Virtio;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>Offers <c>virtio-gpu</c>: a virtio 1.2 GPU on PCI, 2D, for the stock driver of any guest.</summary>
public sealed class VirtioVendor : IVgpuVendor
{
    private const int MinSide = 64;
    private const ulong DefaultVideoMemory = 256UL << 20;

    public string Name => "virtio";

    public IReadOnlyList<VgpuType> Types { get; } =
    [
        new("virtio-gpu", "virtio 2D GPU with EDID, cursors and several heads",
            VirtioGpuConstants.VIRTIO_GPU_MAX_SCANOUTS, DefaultVideoMemory),
    ];

    public VgpuInstance Create(VgpuType type, VgpuOptions options, Type2 iommu, IRenderer renderer, ILogger log)
    {
        if (!Types.Contains(type))
        {
            throw new ArgumentException(
                $"vendor {Name} has no type {type.Name}: its types are {string.Join(", ", Types.Select(t => t.Name))}");
        }

        ulong videoMemory = options.VideoMemory == 0 ? type.DefaultVideoMemory : options.VideoMemory;
        Check(type, options, videoMemory);
        var screen = new Screen(options.Heads, options.Mode);
        var device = new VirtioGpuDevice(screen, renderer, videoMemory, options.GuestBlobs);
        PciInterruptMode interrupts = options.Msix ? PciInterruptMode.Msix : PciInterruptMode.Intx;
        var function = new VirtioPciTransport(iommu, device, interrupts, NamedLogger.For(log, options.Name), options.Rom);
        return new VgpuInstance(function, screen);
    }

    private static void Check(VgpuType type, VgpuOptions options, ulong videoMemory)
    {
        if (options.Heads < 1 || options.Heads > type.MaxHeads)
        {
            throw new ArgumentException($"{options.Heads} heads: {type.Name} has 1 to {type.MaxHeads}");
        }

        DisplayMode mode = options.Mode;
        if (mode.Width is < MinSide or > VirtioGpuConstants.MaxScanoutSide
            || mode.Height is < MinSide or > VirtioGpuConstants.MaxScanoutSide)
        {
            throw new ArgumentException(
                $"mode {mode.Width}x{mode.Height}: each side of {type.Name}'s is {MinSide} to {VirtioGpuConstants.MaxScanoutSide} pixels");
        }

        if (!mode.IsValid)
        {
            throw new ArgumentException($"refresh of {mode.RefreshHertz} Hz: {type.Name} has 1 to {DisplayMode.MaxRefreshHertz}");
        }

        ulong picture = (ulong)mode.Width * (ulong)mode.Height * VirtioGpuConstants.BytesPerPixel;
        ulong needed = (VideoMemory.CostOf(picture) * (ulong)options.Heads) + (1UL << 20);
        if (videoMemory < needed)
        {
            throw new ArgumentException(
                $"video memory of {videoMemory} bytes: {options.Heads} heads of {mode.Width}x{mode.Height} need at least {needed}");
        }
    }
}
