namespace Vgpu.Fuzz;

/// <summary>What the probes are put into: all that a guest or a client reaches, and nothing that waits or that tests use alone.</summary>
internal static class Instrumented
{
    internal static IReadOnlyList<string> Assemblies { get; } =
    [
        "Vgpu.Vfio.dll", "Vgpu.VfioUser.dll", "Vgpu.Pci.dll", "Vgpu.Virtio.dll", "Vgpu.Screens.dll", "Vgpu.Host.Software.dll",
        "Vgpu.Vendors.Bochs.dll", "Vgpu.Vendors.VirtioGpu.dll", "Vgpu.Viewers.Feed.dll", "Vgpu.Viewers.Rfb.dll", "Vgpu.Viewers.Web.dll",
    ];
}
