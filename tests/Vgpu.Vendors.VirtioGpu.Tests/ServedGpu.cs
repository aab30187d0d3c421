// A virtio GPU behind a server of its own, and its client.
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Host.Software;
using Vgpu.Pci;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Vfio.Iommu;
using Vgpu.VfioUser;
using Vgpu.Virtio;

namespace Vgpu.Vendors.VirtioGpu.Tests;

internal sealed class ServedGpu : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Type2 _iommu = new();
    private readonly VfioUserServer _server;

    internal ServedGpu(int heads = 2)
    {
        Screen = new Screen(heads, new DisplayMode(800, 600));
        Device = new VirtioGpuDevice(Screen, new SoftwareRenderer(), 64 << 20, guestBlobs: true);
        Function = new VirtioPciTransport(_iommu, Device, PciInterruptMode.Msix, NullLogger.Instance);
        _server = new VfioUserServer(_folder.File("gpu.sock"), Function);
        _server.Start();
        Remote = new RemoteDevice(_server.SocketPath);
    }

    internal Screen Screen { get; }

    internal VirtioGpuDevice Device { get; }

    internal VirtioPciTransport Function { get; }

    internal RemoteDevice Remote { get; }

    public void Dispose()
    {
        Remote.Dispose();
        _server.Dispose();
        Function.Dispose();
        _iommu.Dispose();
        _folder.Dispose();
    }
}
