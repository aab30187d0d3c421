using Microsoft.Extensions.Logging;
using Vgpu.Gpus;
using Vgpu.Host.Software;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.VfioUser;
using Vgpu.Vfio.Iommu;
using Vgpu.Viewers.Feed;

namespace Vgpu.Cli;

/// <summary>
/// One vGPU, served: a domain, a vendor's instance on it, the vfio-user socket for a VMM and the screen's socket for
/// viewers beside it.
/// </summary>
public sealed class VgpuServer : IDisposable
{
    private readonly Type2 _iommu;
    private readonly SoftwareRenderer _renderer;
    private readonly VgpuInstance _instance;
    private readonly ScreenFeedServer _feed;

    /// <summary>
    /// Makes the vGPU and listens. Throws <see cref="OperatorException"/> for options that can't be, and
    /// <see cref="LinuxException"/> where the socket can't be had.
    /// </summary>
    public VgpuServer(string socketPath, string type, VgpuOptions options, ILogger log)
    {
        SocketPath = Path.GetFullPath(socketPath);
        (IVgpuVendor vendor, VgpuType chosen) = DeviceTypes.Find(type);
        Type = chosen;
        _iommu = new Type2(log);
        _renderer = new SoftwareRenderer();
        try
        {
            _instance = vendor.Create(chosen, options, _iommu, _renderer, log);
        }
        catch (ArgumentException e)
        {
            _renderer.Dispose();
            _iommu.Dispose();
            throw new OperatorException(e.Message);
        }

        Connection = new VfioUserServer(SocketPath, _instance.Device, log);
        _feed = new ScreenFeedServer(ScreenPath(SocketPath), _instance.Screen, log);
        try
        {
            Connection.Start();
            _feed.Start();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string SocketPath { get; }

    public VgpuType Type { get; }

    public Screen Screen => _instance.Screen;

    /// <summary>The VMM's side: connection state and message counts.</summary>
    public VfioUserServer Connection { get; }

    /// <summary>Where viewers find the screen of the vGPU at a socket.</summary>
    public static string ScreenPath(string socketPath) => socketPath + ".screen";

    public void Dispose()
    {
        _feed.Dispose();
        Connection.Dispose();
        _instance.Dispose();
        _renderer.Dispose();
        _iommu.Dispose();
    }
}
