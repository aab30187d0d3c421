using Microsoft.Extensions.Logging;
using Vgpu.Gpus;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Vfio;
using Vgpu.VfioUser;
using Vgpu.Viewers.Feed;

namespace Vgpu.Cli;

/// <summary>
/// One vGPU, served: a domain, a vendor's instance on it, the vfio-user socket for a VMM and the screen's socket for
/// viewers beside it.
/// </summary>
public sealed class VgpuServer : IDisposable
{
    private readonly VgpuComposition _vgpu;
    private readonly ScreenFeedServer _feed;

    /// <summary>
    /// Makes the vGPU and listens. Throws <see cref="OperatorException"/> for options and sockets that can't be, and
    /// <see cref="LinuxException"/> where the host is out of something.
    /// </summary>
    public VgpuServer(string socketPath, string type, VgpuOptions options, ILogger log)
    {
        SocketPath = Path.GetFullPath(socketPath);
        (IVgpuVendor vendor, VgpuType chosen) = DeviceTypes.Find(type);
        Type = chosen;
        ILogger named = NamedLogger.For(log, options.Name);
        try
        {
            _vgpu = new VgpuComposition(vendor, chosen, options, log);
        }
        catch (ArgumentException e)
        {
            throw new OperatorException(e.Message);
        }

        Connection = new VfioUserServer(SocketPath, _vgpu.Instance.Device, named, new VfioUserServerOptions { Name = options.Name });
        _feed = new ScreenFeedServer(ScreenPath(SocketPath), _vgpu.Instance.Screen, named);
        try
        {
            // The screen first, which says nothing: whoever reads that the vGPU listens may rely on both.
            Listen(_feed.Start, ScreenPath(SocketPath));
            Listen(Connection.Start, SocketPath);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string SocketPath { get; }

    public VgpuType Type { get; }

    public Screen Screen => _vgpu.Instance.Screen;

    /// <summary>The VMM's side: connection state and message counts.</summary>
    public VfioUserServer Connection { get; }

    /// <summary>Where viewers find the screen of the vGPU at a socket.</summary>
    public static string ScreenPath(string socketPath) => socketPath + ".screen";

    public void Dispose()
    {
        _feed.Dispose();
        Connection.Dispose();
        _vgpu.Dispose();
    }

    private void Listen(Action start, string path)
    {
        try
        {
            start();
        }
        catch (LinuxException e) when (e.Errno == Errno.EEXIST || (e.Errno == Errno.EADDRINUSE && Directory.Exists(path)))
        {
            throw new OperatorException($"{path} is there and is no socket; move it away or choose another path");
        }
        catch (LinuxException e) when (e.Errno == Errno.EADDRINUSE)
        {
            throw new OperatorException($"somebody listens at {SocketPath} already; end that server or choose another path");
        }
        catch (LinuxException e) when (e.Errno is Errno.ENOENT or Errno.ENOTDIR)
        {
            throw new OperatorException($"there is no folder {Path.GetDirectoryName(path)} for the socket; make it or choose another path");
        }
        catch (LinuxException e) when (e.Errno == Errno.ENAMETOOLONG)
        {
            throw new OperatorException($"{SocketPath} is too long for a Unix socket; choose a path of at most {107 - ScreenPath(string.Empty).Length} bytes");
        }
        catch (LinuxException e) when (e.Errno is Errno.EACCES or Errno.EPERM)
        {
            throw new OperatorException($"no permission to listen at {path}; choose a path in a folder that you may write to, or run as the folder's owner");
        }
    }
}
