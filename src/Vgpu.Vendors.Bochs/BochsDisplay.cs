using Microsoft.Extensions.Logging;
using Vgpu.Gpus;
using Vgpu.Pci;
using Vgpu.Screens;
using Vgpu.Vfio.Iommu;
using static Vgpu.Pci.PciIds;
using static Vgpu.Vendors.Bochs.BochsConstants;

namespace Vgpu.Vendors.Bochs;

/// <summary>
/// bochs-display, the legacy-free form of QEMU's standard VGA (docs/specs/standard-vga.rst): BAR 0 is the framebuffer,
/// which the guest maps, BAR 2 the registers. No interrupt, no DMA.
/// </summary>
internal sealed partial class BochsDisplay : PciFunction
{
    private const uint PageSize = 4096;

    private static readonly PciIdentity _identity = new(
        PCI_VENDOR_ID_QEMU, PCI_DEVICE_ID_QEMU_VGA, RevisionId, PCI_CLASS_DISPLAY_OTHER, PCI_SUBVENDOR_ID_REDHAT_QUMRANET, PCI_SUBDEVICE_ID_QEMU);

    private readonly IRenderer _renderer;
    private readonly Head _head;
    private readonly BochsScanout _scanout;
    private readonly BochsMmio _mmio;
    private readonly RefreshThread _refresh;
    private readonly VgpuNotices _notices;
    private readonly ulong _videoMemory;

    /// <summary>Owns <paramref name="renderer"/>, which has nothing to do: the guest draws with its processor.</summary>
    internal BochsDisplay(Type2 iommu, VgpuOptions options, Head head, ulong videoMemory, IRenderer renderer, VgpuNotices notices, ILogger log)
        : base(iommu, _identity, PciInterruptMode.None, vectorCount: 0)
    {
        _renderer = renderer;
        _head = head;
        _notices = notices;
        _videoMemory = videoMemory;
        var framebuffer = new Framebuffer(options.Name, videoMemory, options.MemoryFiles);
        _scanout = new BochsScanout(options.Name, framebuffer, head, log);
        _mmio = new BochsMmio(this, _scanout, head, videoMemory);
        _refresh = new RefreshThread(_scanout, head);
        AddBar(new PciBar { Index = 0, Size = videoMemory, IsPrefetchable = true, Memory = framebuffer.File });
        AddBar(new PciBar { Index = 2, Size = PageSize, Handler = _mmio });
        SetRom(options.Rom);
        head.PreferredModeChanged += OnPreferredModeChanged;
    }

    protected override void OnReset()
    {
        if (_mmio.Reset())
        {
            _notices.Report(new VgpuNotice(VgpuNoticeKind.Reset, "the guest reset the device"));
        }

        if (!IsRestoring)
        {
            _scanout.Clear();
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _head.PreferredModeChanged -= OnPreferredModeChanged;
            _refresh.Dispose();
            _scanout.Dispose();
            _renderer.Dispose();
        }

        base.Dispose(disposing);
    }
}
