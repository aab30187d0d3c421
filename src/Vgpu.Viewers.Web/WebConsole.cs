using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Vgpu.Viewers.Web;

/// <summary>
/// The browser console: HTTP/1.1, the page's files, a small JSON API behind a token, and RFB over WebSockets.
/// Connections, headers, bodies, messages and times are bounded. Its members are for one thread.
/// </summary>
public sealed class WebConsole : IDisposable
{
    private const int MostBodyBytes = 4 << 10;
    private const int MostRequests = 256;

    private readonly WebApplication _application;
    private readonly WebConsoleOptions _options;
    private readonly X509Certificate2Collection _chain = [];
    private readonly X509Certificate2? _certificate;
    private readonly Thumbnails _thumbnails;
    private readonly ChangeSignal _changes;
    private readonly Sessions _sessions;
    private readonly CancellationTokenSource _end = new(); // has no timer and no handle to let go of

    /// <summary>
    /// Nobody is answered before <see cref="Start"/>. Throws <see cref="ArgumentException"/> with a line for the operator
    /// where the options can't be, or the certificate can't be read.
    /// </summary>
    /// <param name="vgpus">What is shown; not disposed.</param>
    /// <param name="options">Where, and for whom.</param>
    /// <param name="log">Sessions, wrong tokens by address, and failures; never a token.</param>
    public WebConsole(IConsoleVgpus vgpus, WebConsoleOptions options, ILogger log)
        : this(vgpus, options, log, new RfbEndpoint(options, log), TimeProvider.System)
    {
    }

    internal WebConsole(IConsoleVgpus vgpus, WebConsoleOptions options, ILogger log, IRfbEndpoint rfb, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(vgpus);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        _certificate = options.CertificateFile is string file ? Load(file, options.KeyFile, _chain) : null;

        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        _ = builder.Services.AddRoutingCore().AddSingleton<IHostLifetime, OwnersLifetime>();
        _ = builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(Configure);
        _application = builder.Build();

        _thumbnails = new Thumbnails(vgpus, clock);
        _changes = new ChangeSignal(vgpus);
        _sessions = new Sessions(vgpus, rfb, options.MostSessions, log, _end.Token);
        var door = new Door(new Tokens(options.Token, options.ViewToken, clock), new GuessGate(clock), log);
        _ = _application.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.FromSeconds(15), KeepAliveTimeout = TimeSpan.FromSeconds(15) });
        _ = _application.Use(new Guard(options.HostNames, log).Invoke);
        _ = _application.UseRouting();
        _ = _application.Use(ExplainAbsence);
        new Routes(vgpus, new Assets(typeof(WebConsole).Assembly), door, _thumbnails, _changes, _sessions, _end.Token).Map(_application);
    }

    /// <summary>Where it is to be opened, once it has begun; without a token.</summary>
    public IReadOnlyList<Uri> Uris { get; private set; } = [];

    /// <summary>
    /// The address that signs a browser in by itself and, with a name, opens that vGPU. The token is in the fragment, which
    /// browsers send to nobody.
    /// </summary>
    /// <param name="vgpu">A name or UUID; null: the list.</param>
    /// <param name="viewOnly">With the token for viewing. Throws <see cref="InvalidOperationException"/> where there is none.</param>
    public Uri Link(string? vgpu = null, bool viewOnly = false)
    {
        string token = viewOnly ? _options.ViewToken ?? throw new InvalidOperationException("There is no token for viewing.") : _options.Token;
        string path = vgpu is null ? "/" : "/console?vgpu=" + Uri.EscapeDataString(vgpu);
        return new Uri(Uris[0], $"{path}#token={Uri.EscapeDataString(token)}");
    }

    /// <summary>Begins to answer. Throws <see cref="IOException"/> where the port is taken.</summary>
    public void Start()
    {
        _application.StartAsync().GetAwaiter().GetResult();
        ICollection<string> addresses = _application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        Uris = [.. addresses.Select(Openable)];
    }

    /// <summary>Ends sessions and waiting requests, lets other answers end for a moment, and closes the port.</summary>
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
        _changes.Dispose();
        _thumbnails.Dispose();
        _sessions.Dispose();
        _certificate?.Dispose();
        foreach (X509Certificate2 link in _chain)
        {
            link.Dispose();
        }
    }

    private void Configure(KestrelServerOptions options)
    {
        options.AddServerHeader = false;
        options.Limits.MaxRequestBodySize = MostBodyBytes;
        options.Limits.MaxRequestLineSize = 4096;
        options.Limits.MaxRequestHeadersTotalSize = 16 << 10;
        options.Limits.MaxRequestHeaderCount = 64;
        options.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        options.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(60);
        options.Limits.MaxConcurrentConnections = MostRequests;
        options.Limits.MaxConcurrentUpgradedConnections = _options.MostSessions;
        options.Listen(_options.Address, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            if (_certificate is not null)
            {
                _ = listen.UseHttps(https =>
                {
                    https.ServerCertificate = _certificate;
                    https.ServerCertificateChain = _chain;
                    https.HandshakeTimeout = TimeSpan.FromSeconds(10);
                });
            }
        });
    }

    // What matched a path but not its method has no body of its own.
    private static async Task ExplainAbsence(HttpContext context, RequestDelegate next)
    {
        await next(context);
        if (!context.Response.HasStarted && context.Response is { StatusCode: >= 400, ContentLength: null })
        {
            await Answers.Problem(context, context.Response.StatusCode, $"{ReasonPhrases.GetReasonPhrase(context.Response.StatusCode)}: {context.Request.Method} can't be done there");
        }
    }

    private static X509Certificate2 Load(string certificate, string? key, X509Certificate2Collection chain)
    {
        try
        {
            chain.ImportFromPemFile(certificate);
            return X509Certificate2.CreateFromPemFile(certificate, key);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new ArgumentException($"the certificate {certificate} or its key {key ?? certificate} can't be read: {e.Message}", e);
        }
    }

    // An address that means all of them is no address to open.
    private static Uri Openable(string address)
    {
        var uri = new Uri(address.Replace("[::]", IPAddress.Loopback.ToString(), StringComparison.Ordinal));
        return IPAddress.TryParse(uri.Host, out IPAddress? ip) && ip.Equals(IPAddress.Any)
            ? new Uri(string.Create(CultureInfo.InvariantCulture, $"{uri.Scheme}://{IPAddress.Loopback}:{uri.Port}/"))
            : uri;
    }

    // Signals are for the program that has this server.
    private sealed class OwnersLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
