using Microsoft.Extensions.Logging;
using Vgpu.Gpus.Shares;
using Vgpu.Screens;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Gpus;

/// <summary>
/// A kind of vGPU that a vendor offers, in the terms of the kernel's mediated devices
/// (Documentation/driver-api/vfio-mediated-device.rst).
/// </summary>
/// <param name="Name">Unique within the vendor, for example <c>virtio-gpu</c>.</param>
/// <param name="Description">One line for the operator.</param>
/// <param name="MaxHeads">1 to 16.</param>
/// <param name="DefaultVideoMemory">Bytes, where the operator says nothing.</param>
/// <param name="DeviceApi">How a VMM attaches it.</param>
public sealed record VgpuType(string Name, string Description, int MaxHeads, ulong DefaultVideoMemory, string DeviceApi = "vfio-user-pci")
{
    /// <summary>The largest mode of a head; neither the operator, nor a viewer, nor the guest goes beyond either side of it.</summary>
    public DisplayMode MaxMode { get; init; } = new(DisplayMode.MaxSize, DisplayMode.MaxSize);

    /// <summary>Its guests render on the host's GPU (<see cref="VgpuOptions.Renderer3D"/>): it has a share of that, and a frame limiter.</summary>
    public bool Renders { get; init; }
}

/// <summary>What the operator chose for one vGPU.</summary>
public sealed record VgpuOptions
{
    /// <summary>Name before each line in logs (<see cref="NamedLogger"/>), for example the socket's file name.</summary>
    public required string Name { get; init; }

    /// <summary>The preferred mode of every head.</summary>
    public DisplayMode Mode { get; init; } = new(1024, 768);

    public int Heads { get; init; } = 1;

    /// <summary>Bytes of video memory that the guest may use; 0: the type's default.</summary>
    public ulong VideoMemory { get; init; }

    /// <summary>
    /// The largest quota that the vGPU has had since its guest started, in bytes, where it was lowered since
    /// (<see cref="VgpuInstance.SetVideoMemory"/>): a successor brings back what the guest has within it. 0: never lowered.
    /// </summary>
    public ulong PeakVideoMemory { get; init; }

    /// <summary>Where memory comes from that must outlive this process; null: no memory need.</summary>
    public IMemoryFiles? MemoryFiles { get; init; }

    /// <summary>
    /// Makes the host's renderer for a type whose guests render; called once, on the thread that uses it from then on. What it
    /// throws as <see cref="ArgumentException"/> is for the operator.
    /// </summary>
    public Func<IRenderer3D>? Renderer3D { get; init; }

    /// <summary>
    /// Makes the gate that each submission of a guest passes; called once, on the renderer's thread, which also disposes of it. Null:
    /// the host GPU is shared with nobody, and nothing is measured. For types whose guests render.
    /// </summary>
    public Func<IShareGate>? ShareGate { get; init; }

    /// <summary>How many frames each head may show in a second; 0: no limit. For types whose guests render.</summary>
    public int FramesPerSecond { get; init; }

    /// <summary>MSI-X beside INTx; a vGPU that has it can't be unplugged from stock QEMU.</summary>
    public bool Msix { get; init; }

    /// <summary>
    /// Resources that the guest keeps in its own memory (virtio 1.2, 5.7.6.7). Linux then waits for the host at each
    /// frame of a dumb buffer, which costs about a fifth of the frames: off unless wanted.
    /// </summary>
    public bool GuestBlobs { get; init; }

    /// <summary>An option ROM image, for vendors that take one.</summary>
    public ReadOnlyMemory<byte> Rom { get; init; }
}

/// <summary>A maker of device models.</summary>
public interface IVgpuVendor
{
    /// <summary>For example <c>virtio</c>.</summary>
    string Name { get; }

    IReadOnlyList<VgpuType> Types { get; }

    /// <summary>
    /// Makes an instance on a domain. It owns the renderer from then on, and not the domain. Throws
    /// <see cref="ArgumentException"/> with a message for the operator where the options do not suit the type; the
    /// renderer is then still the caller's.
    /// </summary>
    VgpuInstance Create(VgpuType type, VgpuOptions options, Type2 iommu, IRenderer renderer, ILogger log);
}
