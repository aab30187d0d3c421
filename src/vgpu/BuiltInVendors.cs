using Vgpu.Gpus;
using Vgpu.Vendors.Bochs;
using Vgpu.Vendors.VirtioGpu;

namespace Vgpu.Cli;

/// <summary>The vendors that vgpu is built with; the daemon's source too.</summary>
internal static class BuiltInVendors
{
    internal static IReadOnlyList<IVgpuVendor> All { get; } = [new VirtioVendor(), new BochsVendor()];
}
