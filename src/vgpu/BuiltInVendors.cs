using Vgpu.Gpus;
using Vgpu.Host.Virgl;
using Vgpu.Vendors.Bochs;
using Vgpu.Vendors.VirtioGpu;

namespace Vgpu.Cli;

/// <summary>The vendors that vgpu is built with; the daemon's source too.</summary>
internal static class BuiltInVendors
{
    /// <summary>With everything that some host can have.</summary>
    internal static IReadOnlyList<IVgpuVendor> All { get; } = [new VirtioVendor(rendersOnHost: true), new BochsVendor()];

    /// <summary>With what this host has; <paramref name="missing"/> says what it lacks for more, and what would give it.</summary>
    internal static IReadOnlyList<IVgpuVendor> OfThisHost(out string? missing)
    {
        missing = WhyNot(VirtioVendor.RenderingType);
        return missing is null ? All : [new VirtioVendor(), new BochsVendor()];
    }

    /// <summary>Why this host can't have a type by this name; null: nothing speaks against it.</summary>
    internal static string? WhyNot(string type) => type == VirtioVendor.RenderingType ? VirglRenderer.FindMissing(new VirglOptions()) : null;
}
