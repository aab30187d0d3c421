using Microsoft.Extensions.Logging;
using Vgpu.Gpus;
using Vgpu.Host.Software;
using Vgpu.Host.Virgl;
using Vgpu.Vendors.VirtioGpu;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Cli;

/// <summary>A domain and a vendor's instance on it, drawn by the software GPU, and by VirGL where its guests render.</summary>
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
            bool renders = type.Name == VirtioVendor.RenderingType;
            Instance = vendor.Create(type, renders ? options with { Renderer3D = () => Start(named) } : options, _iommu, renderer, named);
        }
        catch (ArgumentException)
        {
            renderer.Dispose();
            _iommu.Dispose();
            throw;
        }
    }

    internal VgpuInstance Instance { get; }

    private static VirglRenderer Start(ILogger log) =>
        VirglRenderer.TryCreate(new VirglOptions(), log, out string? missing) ?? throw new ArgumentException($"{VirtioVendor.RenderingType}: {missing}");

    public void Dispose()
    {
        Instance.Dispose();
        _iommu.Dispose();
    }
}
