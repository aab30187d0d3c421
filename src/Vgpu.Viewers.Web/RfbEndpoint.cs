using Microsoft.Extensions.Logging;
using Vgpu.Screens;
using Vgpu.Viewers.Rfb;

namespace Vgpu.Viewers.Web;

/// <summary>RFB to browsers. A screen that several of them see has one server. Any thread.</summary>
internal sealed class RfbEndpoint(WebConsoleOptions options, ILogger log) : IRfbEndpoint
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Screen, Shared> _servers = [];

    public async Task Serve(IConsoleScreen screen, string name, bool mayType, Stream stream, string peer, CancellationToken end)
    {
        // The token was the password, and TLS is the console's own.
        var viewer = new RfbPeer(peer) { IsTrusted = true, IsViewOnly = !mayType };
        if (screen.Server is RfbServer server)
        {
            await server.Serve(stream, viewer, end);
            return;
        }

        Shared shared = Enter(screen.Screen, name);
        try
        {
            await shared.Server.Serve(stream, viewer, end);
        }
        finally
        {
            Leave(screen.Screen, shared);
        }
    }

    private Shared Enter(Screen screen, string name)
    {
        lock (_lock)
        {
            if (!_servers.TryGetValue(screen, out Shared? shared))
            {
                _servers[screen] = shared = new Shared(new RfbServer(screen, new RfbServerOptions { Name = name, MaxViewers = options.MostSessions, Codecs = options.Codecs }, log));
            }

            shared.Viewers++;
            return shared;
        }
    }

    private void Leave(Screen screen, Shared shared)
    {
        lock (_lock)
        {
            if (--shared.Viewers == 0)
            {
                _ = _servers.Remove(screen);
                shared.Server.Dispose();
            }
        }
    }

    private sealed class Shared(RfbServer server)
    {
        internal RfbServer Server { get; } = server;

        internal int Viewers { get; set; }
    }
}
