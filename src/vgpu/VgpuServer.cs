using Microsoft.Extensions.Logging;
using Vgpu.Gpus;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Vendors.VirtioInput;
using Vgpu.Vfio;
using Vgpu.VfioUser;
using Vgpu.Viewers.Feed;

namespace Vgpu.Cli;

/// <summary>
/// One vGPU, served: a domain, a vendor's instance on it, the vfio-user socket for a VMM, and beside it the screen's socket
/// for viewers and those of the input devices.
/// </summary>
public sealed class VgpuServer : IDisposable
{
    private readonly VgpuComposition _vgpu;
    private readonly ScreenFeedServer _feed;
    private readonly InputServers _input;

    /// <summary>
    /// Makes the vGPU and listens. Throws <see cref="OperatorException"/> for options and sockets that can't be, and
    /// <see cref="LinuxException"/> where the host is out of something.
    /// </summary>
    /// <param name="socketPath">For the VMM.</param>
    /// <param name="type">See <see cref="DeviceTypes"/>.</param>
    /// <param name="options">What is asked of the type.</param>
    /// <param name="log">What happens.</param>
    /// <param name="input">The input devices beside it, through which the screen's input goes; null or none: it goes nowhere.</param>
    /// <param name="qmp">The VM's QMP socket, which takes what no driver of the guest's takes from them; null: nothing does.</param>
    public VgpuServer(string socketPath, string type, VgpuOptions options, ILogger log, IReadOnlyList<VirtioInputKind>? input = null, string? qmp = null)
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
        _input = new InputServers(SocketPath, input ?? [], options, qmp, log);
        Screen.Input = _input.Sink;
        try
        {
            // The vGPU last: whoever reads that it listens may rely on all.
            Listen(_feed.Start, ScreenPath(SocketPath));
            _input.Start(Listen);
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

    /// <summary>The sockets of the input devices, by kind.</summary>
    public IEnumerable<(VirtioInputKind Kind, string SocketPath)> InputSockets => _input.Sockets;

    /// <summary>The VMM's side: connection state and message counts.</summary>
    public VfioUserServer Connection { get; }

    /// <summary>Where viewers find the screen of the vGPU at a socket.</summary>
    public static string ScreenPath(string socketPath) => socketPath + ".screen";

    public void Dispose()
    {
        _feed.Dispose();
        Connection.Dispose();
        Screen.Input = null;
        _input.Dispose();
        _vgpu.Dispose();
    }

    private int LongestSuffix => InputSockets.Select(device => device.SocketPath).Append(ScreenPath(SocketPath)).Max(path => path.Length) - SocketPath.Length;

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
            throw new OperatorException($"{SocketPath} is too long for a Unix socket; choose a path of at most {107 - LongestSuffix} bytes");
        }
        catch (LinuxException e) when (e.Errno is Errno.EACCES or Errno.EPERM)
        {
            throw new OperatorException($"no permission to listen at {path}; choose a path in a folder that you may write to, or run as the folder's owner");
        }
    }
}
