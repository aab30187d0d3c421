// The vendor of virtio GPUs: what it offers and how an instance is put together.
using Microsoft.Extensions.Logging;
using Vgpu.Gpus;
using Vgpu.Gpus.Shares;
using Vgpu.Pci;
using Vgpu.Screens;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;
using Vgpu.Virtio;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>
/// Offers <c>virtio-gpu</c>, a virtio 1.2 GPU on PCI, 2D, for the stock driver of any guest, and sizes of it; where
/// <paramref name="rendersOnHost"/> also <c>virtio-gpu-gl</c>, whose guests render on the host (<see cref="VgpuOptions.Renderer3D"/>).
/// </summary>
public sealed class VirtioVendor(bool rendersOnHost = false) : IVgpuVendor
{
    /// <summary>The type whose guests render on the host.</summary>
    public const string RenderingType = "virtio-gpu-gl";

    public string Name => "virtio";

    public IReadOnlyList<VgpuType> Types { get; } =
    [
        new("virtio-gpu", "virtio 2D GPU with EDID, cursors and several heads", VirtioGpuConstants.VIRTIO_GPU_MAX_SCANOUTS, 256UL << 20),
        Sized("64m", 64, 1, new DisplayMode(1920, 1200)),
        Sized("128m", 128, 2, new DisplayMode(2560, 1600)),
        Sized("512m", 512, 4, new DisplayMode(3840, 2160)),
        Sized("1g", 1024, 8, new DisplayMode(5120, 2880)),
        .. rendersOnHost ? (VgpuType[])[new(RenderingType, "virtio GPU with OpenGL on the host's GPU (VirGL), and all that virtio-gpu has", VirtioGpuConstants.VIRTIO_GPU_MAX_SCANOUTS, 512UL << 20) { Renders = true }] : [],
    ];

    public VgpuInstance Create(VgpuType type, VgpuOptions options, Type2 iommu, IRenderer renderer, ILogger log)
    {
        if (!Types.Contains(type))
        {
            throw new ArgumentException(
                $"vendor {Name} has no type {type.Name}: its types are {string.Join(", ", Types.Select(t => t.Name))}");
        }

        if (options.Heads < 1 || options.Heads > type.MaxHeads)
        {
            throw new ArgumentException($"{options.Heads} heads: {type.Name} has 1 to {type.MaxHeads}");
        }

        bool renders = type.Renders;
        if (renders != options.Renderer3D is not null)
        {
            throw new ArgumentException(renders ? $"{type.Name} needs a renderer of the host's" : $"{type.Name} does not render on the host");
        }

        if (!renders && (options.ShareGate is not null || options.FramesPerSecond != 0))
        {
            throw new ArgumentException($"{type.Name} does not render on the host: it has no share of its GPU and no frame limiter");
        }

        if (options.FramesPerSecond is < 0 or > FrameLimiter.MaxFramesPerSecond)
        {
            throw new ArgumentException($"{options.FramesPerSecond} frames per second: there are 1 to {FrameLimiter.MaxFramesPerSecond}, and 0 for no limit");
        }

        if (renders && options.GuestBlobs)
        {
            throw new ArgumentException($"{type.Name} has no guest blobs");
        }

        ulong videoMemory = options.VideoMemory == 0 ? type.DefaultVideoMemory : options.VideoMemory;
        VirtioGpuDevice.CheckMode(options.Mode, options.Heads, type.MaxMode, videoMemory);
        var screen = new Screen(options.Heads, options.Mode, type.MaxMode);
        var notices = new VgpuNotices();
        var device = new VirtioGpuDevice(screen, renderer, videoMemory, options.GuestBlobs, notices, options.PeakVideoMemory, options.Renderer3D, options.ShareGate);
        PciInterruptMode interrupts = options.Msix ? PciInterruptMode.Msix : PciInterruptMode.Intx;
        var function = new VirtioPciTransport(iommu, device, interrupts, NamedLogger.For(log, options.Name), options.Rom);
        var instance = new VgpuInstance(function, screen, device, notices);
        if (options.FramesPerSecond != 0)
        {
            instance.SetFrameLimit(options.FramesPerSecond);
        }

        return instance;
    }

    private static VgpuType Sized(string size, ulong mebibytes, int heads, DisplayMode max) =>
        new($"virtio-gpu-{size}", $"virtio 2D GPU, {heads} {(heads == 1 ? "head" : "heads")} of up to {max.Width}x{max.Height}", heads, mebibytes << 20)
        {
            MaxMode = max,
        };
}
