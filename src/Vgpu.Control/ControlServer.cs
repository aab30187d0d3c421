using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Vgpu.Api;
using Vgpu.Bus;
using Vgpu.Linux;

namespace Vgpu.Control;

/// <summary>
/// The control API: HTTP/1.1 and JSON on two Unix sockets, and metrics on TCP where asked for. The kernel says who calls
/// (SO_PEERCRED); bodies, headers, times and connections are bounded. Its members are for one thread.
/// </summary>
public sealed class ControlServer : IDisposable
{
    internal const int MostBodyBytes = 64 << 10;

    private readonly ControlSockets _sockets;
    private readonly WebApplication _application;
    private readonly ConnectionBudget _connections = new();
    private readonly CancellationTokenSource _end = new(); // has no timer and no handle to let go of
    private readonly uint? _group = Accounts.FindGroup(ControlSockets.Group);

    /// <summary>Nobody is answered before <see cref="Start"/>.</summary>
    /// <param name="bus">What is controlled; not disposed.</param>
    /// <param name="sockets">Taken over.</param>
    /// <param name="log">Failures of the server's own.</param>
    /// <param name="metrics">Null: on the Unix sockets alone.</param>
    /// <param name="viewers">Where an instance's screen can be seen; any thread, answers at once. Null: nobody shows screens.</param>
    public ControlServer(IBus bus, ControlSockets sockets, ILogger log, MetricsEndpoint? metrics = null, Func<Guid, ViewerAddresses?>? viewers = null)
    {
        _sockets = sockets;
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        _ = builder.Services.AddRoutingCore().AddSingleton<IHostLifetime, OwnersLifetime>();
        _ = builder.WebHost.UseKestrelCore().ConfigureKestrel(options => Configure(options, metrics));
        _application = builder.Build();
        var guard = new Guard(log, metrics?.Token is string token ? Encoding.UTF8.GetBytes(token) : null);
        _ = _application.Use(guard.Invoke);
        IReadOnlyList<Route> routes = new Routes(bus, viewers ?? (_ => null), _end.Token).All;
        Routes = [.. routes.Select(route => $"{route.Method} {route.Path}")];
        foreach (Route route in routes)
        {
            _ = _application.MapMethods(route.Path, [route.Method], route.Answer);
        }
    }

    /// <summary>What can be asked for, such as <c>GET /v1/types</c>; the OpenAPI document is about these.</summary>
    public IReadOnlyList<string> Routes { get; }

    /// <summary>Begins to answer. Throws <see cref="IOException"/> where the metrics' port is taken.</summary>
    public void Start() => _application.StartAsync().GetAwaiter().GetResult();

    /// <summary>Ends event streams, lets other answers end for a moment, and closes the sockets.</summary>
    public void Dispose()
    {
        if (_end.IsCancellationRequested)
        {
            return;
        }

        _end.Cancel();
        using (var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5)))
        {
            _application.StopAsync(patience.Token).GetAwaiter().GetResult();
        }

        ((IDisposable)_application).Dispose();
        _sockets.Dispose();
    }

    private void Configure(KestrelServerOptions options, MetricsEndpoint? metrics)
    {
        options.AddServerHeader = false;
        options.Limits.MaxRequestBodySize = MostBodyBytes;
        options.Limits.MaxRequestLineSize = 4096;
        options.Limits.MaxRequestHeadersTotalSize = 16 << 10;
        options.Limits.MaxRequestHeaderCount = 64;
        options.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        options.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(60);
        Listen(_sockets.ReadWrite, Door.ReadWrite);
        Listen(_sockets.ReadOnly, Door.ReadOnly);
        if (metrics is not null)
        {
            options.Listen(metrics.Address, listen => Admit(listen, _ => new Caller(Door.Metrics, 0, [], IsAdministrator: false, SeesAll: true)));
        }

        void Listen(UnixSocket socket, Door door)
        {
            // Kestrel closes the number that it is given: it gets one of its own.
            using FileDescriptor own = socket.Descriptor.Duplicate();
            options.ListenHandle((ulong)own.Number, listen => Admit(listen, connection => Caller.Of(connection.Features.GetRequiredFeature<IConnectionSocketFeature>(), door, _group)));
            own.SetHandleAsInvalid();
        }
    }

    private void Admit(ListenOptions listen, Func<ConnectionContext, Caller> identify)
    {
        listen.Protocols = HttpProtocols.Http1;
        _ = listen.Use(next => async connection =>
        {
            Caller caller = identify(connection);
            if (!_connections.TryEnter(caller))
            {
                connection.Abort();
                return;
            }

            try
            {
                connection.Features.Set(caller);
                await next(connection);
            }
            finally
            {
                _connections.Leave(caller);
            }
        });
    }

    // Signals are for the program that has this server.
    private sealed class OwnersLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
