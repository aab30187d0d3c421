using Microsoft.Extensions.Logging;
using Vgpu.Bus;
using Vgpu.Gpus;
using Vgpu.Linux;
using Vgpu.Vendors.VirtioInput;
using Vgpu.VfioUser;

namespace Vgpu.Cli;

/// <summary>The input devices of a vGPU that is served without a daemon, each at a socket beside the vGPU's.</summary>
internal sealed class InputServers : IDisposable
{
    private readonly InputComposition _input;
    private readonly List<VfioUserServer> _servers = [];
    private readonly List<UnixSocket> _listeners = [];

    internal InputServers(string socketPath, IEnumerable<VirtioInputKind> kinds, VgpuOptions options, string? qmp, ILogger log)
    {
        _input = new InputComposition(kinds, options, log);
        _input.TypeInto(qmp);
        foreach (VirtioInputFunction function in _input.Functions)
        {
            VirtioInputKind kind = function.Device.Kind;
            var named = new VfioUserServerOptions { Name = InputComposition.NameOf(options.Name, kind) };
            _servers.Add(new VfioUserServer(InstanceFunctions.SocketOf(socketPath, VirtioInput.NameOf(kind)), function.Function, log, named));
        }
    }

    /// <summary>Null where there are no devices, and nothing to type into besides.</summary>
    internal VirtioInputSet? Sink => _servers.Count > 0 || _input.Sink.Fallback is not null ? _input.Sink : null;

    internal IEnumerable<(VirtioInputKind Kind, string SocketPath)> Sockets =>
        _input.Functions.Zip(_servers, (function, server) => (function.Device.Kind, server.SocketPath));

    /// <summary>Serves, and says nothing of it; <paramref name="listen"/> is called with what makes each socket, and its path.</summary>
    internal void Start(Action<Action, string> listen) => _servers.ForEach(server => listen(
        () =>
        {
            _listeners.Add(UnixSocket.Listen(server.SocketPath));
            server.Start(_listeners[^1]);
        },
        server.SocketPath));

    /// <summary>Once the screen's input goes elsewhere.</summary>
    public void Dispose()
    {
        // Its server takes a socket that it did not make for somebody else's too, and leaves its path.
        _listeners.ForEach(listener => listener.Unlink());
        _servers.ForEach(server => server.Dispose());
        _input.Dispose();
    }
}
