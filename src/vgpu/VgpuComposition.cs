using Microsoft.Extensions.Logging;
using Vgpu.Gpus;
using Vgpu.Host.Software;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Cli;

/// <summary>A domain and a vendor's instance on it, drawn by the software GPU.</summary>
internal sealed class VgpuComposition : IDisposable
{
    private readonly Type2 _iommu;

    /// <summary>Throws <see cref="ArgumentException"/> with a line for the operator where the options do not suit the type.</summary>
    internal VgpuComposition(IVgpuVendor vendor, VgpuType type, VgpuOptions options, ILogger log)
    {
        ILogger named = NamedLogger.For(log, options.Name);
        _iommu = new Type2(named);
        var renderer = new SoftwareRenderer();
        try
        {
            // The instance owns the renderer from here on.
            Instance = vendor.Create(type, options, _iommu, renderer, named);
        }
        catch (ArgumentException)
        {
            renderer.Dispose();
            _iommu.Dispose();
            throw;
        }
    }

    internal VgpuInstance Instance { get; }

    public void Dispose()
    {
        Instance.Dispose();
        _iommu.Dispose();
    }
}
