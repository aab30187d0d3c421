// How an input device is put together on PCI.
using Microsoft.Extensions.Logging;
using Vgpu.Pci;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;
using Vgpu.Virtio;

namespace Vgpu.Vendors.VirtioInput;

/// <summary>Makes virtio-input PCI functions (1af4:1052), for the stock driver of any guest (Linux's virtio_input).</summary>
public static class VirtioInput
{
    /// <summary>A function and the device in it.</summary>
    /// <param name="kind">What it is to its guest.</param>
    /// <param name="name">The vGPU's: the log's lines begin with it, and the guest reads it as the serial.</param>
    /// <param name="iommu">A domain of this function's own, as it has a client connection of its own; stays the caller's.</param>
    /// <param name="log">Where what the guest gets wrong is said.</param>
    /// <param name="msix">MSI-X instead of INTx; see the vGPU's own.</param>
    public static VirtioInputFunction Create(VirtioInputKind kind, string name, Type2 iommu, ILogger log, bool msix = false)
    {
        var device = new VirtioInputDevice(kind, name);
        var transport = new VirtioPciTransport(iommu, device, msix ? PciInterruptMode.Msix : PciInterruptMode.Intx, NamedLogger.For(log, $"{name} {NameOf(kind)}"));
        return new VirtioInputFunction(transport, device);
    }

    /// <summary>The kind in one lower-case word: <c>keyboard</c>, <c>tablet</c>, <c>touch</c>.</summary>
    public static string NameOf(VirtioInputKind kind) => kind switch
    {
        VirtioInputKind.Keyboard => "keyboard",
        VirtioInputKind.Tablet => "tablet",
        VirtioInputKind.Touch => "touch",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}

/// <summary>An input device on PCI. Disposing it ends the function: after the last server of it is stopped.</summary>
/// <param name="Function">What a client attaches to.</param>
/// <param name="Device">What a <see cref="VirtioInputSet"/> is made of.</param>
public sealed record VirtioInputFunction(VfioDevice Function, VirtioInputDevice Device) : IDisposable
{
    public void Dispose() => Function.Dispose();
}
