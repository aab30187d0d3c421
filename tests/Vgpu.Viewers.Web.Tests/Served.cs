using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Vgpu.Testing;

namespace Vgpu.Viewers.Web.Tests;

/// <summary>A console on a port of its own, over vGPUs of the test's.</summary>
public sealed class Served : IDisposable
{
    public const string Token = "correct-horse-battery";
    public const string ViewToken = "only-to-look-at-it-all";

    private readonly WebConsole _console;

    internal Served(Func<WebConsoleOptions, WebConsoleOptions>? options = null, IRfbEndpoint? rfb = null, TimeProvider? clock = null)
    {
        var given = new WebConsoleOptions { Token = Token, ViewToken = ViewToken };
        _console = new WebConsole(Vgpus, options?.Invoke(given) ?? given, Log, rfb ?? new RfbEndpoint(given, Log), clock ?? TimeProvider.System);
        _console.Start();
        Http = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = Uri };
    }

    public FakeVgpus Vgpus { get; } = new();

    public ListLogger Log { get; } = new();

    public Uri Uri => _console.Uris.Single();

    public HttpClient Http { get; }

    public Uri Link(string? vgpu = null, bool viewOnly = false) => _console.Link(vgpu, viewOnly);

    /// <summary>One request with the token, or as it is said.</summary>
    public Answer Ask(string method, string path, string? token = Token, string? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        foreach ((string name, string value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }

        using HttpResponseMessage response = Http.Send(request);
        using var bytes = new MemoryStream();
        response.Content.ReadAsStream().CopyTo(bytes);
        Dictionary<string, string> all = response.Headers.Concat(response.Content.Headers)
            .ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase);
        return new Answer((int)response.StatusCode, all, bytes.ToArray());
    }

    /// <summary>The cookie that a token is exchanged for, as a browser sends it.</summary>
    public string Cookie(string token = Token) =>
        Ask("POST", "/api/session", token: null, JsonSerializer.Serialize(new { token }), ("Origin", Origin)).Header("Set-Cookie").Split(';')[0];

    public string Origin => Uri.GetLeftPart(UriPartial.Authority);

    /// <summary>Bytes as they are, and all that comes back until the server closes.</summary>
    public string Raw(string request)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(new IPEndPoint(IPAddress.Loopback, Uri.Port));
        _ = socket.Send(Encoding.Latin1.GetBytes(request));
        socket.ReceiveTimeout = 60_000;
        var all = new StringBuilder();
        byte[] some = new byte[4096];
        // A reset says that the server did not read all, and comes before what it answered.
        for (int resets = 0; resets < 2;)
        {
            int count = socket.Receive(some, SocketFlags.None, out SocketError error);
            _ = all.Append(Encoding.Latin1.GetString(some, 0, count));
            resets += error == SocketError.ConnectionReset ? 1 : count == 0 ? 2 : 0;
        }

        return all.ToString();
    }

    /// <summary>Opens a vGPU's WebSocket. Throws <see cref="WebSocketException"/> where it is refused.</summary>
    public ClientWebSocket Open(Guid uuid, params (string Name, string Value)[] headers)
    {
        var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        foreach ((string name, string value) in headers)
        {
            socket.Options.SetRequestHeader(name, value);
        }

        try
        {
            socket.ConnectAsync(new Uri($"ws://{Uri.Authority}/api/vgpus/{uuid}/console"), CancellationToken.None).GetAwaiter().GetResult();
            return socket;
        }
        catch (WebSocketException)
        {
            RefusedWith = (int)socket.HttpStatusCode;
            socket.Dispose();
            throw;
        }
    }

    /// <summary>What the last WebSocket was refused with.</summary>
    public int RefusedWith { get; private set; }

    public (string Name, string Value) Bearer(string token = Token) => ("Authorization", "Bearer " + token);

    /// <summary>Ends the console, not those who asked it.</summary>
    public void End() => _console.Dispose();

    public void Dispose()
    {
        End();
        Http.Dispose();
        Vgpus.Dispose();
        Assert.DoesNotContain(Log.Lines, line => line.Contains(Token, StringComparison.Ordinal) || line.Contains(ViewToken, StringComparison.Ordinal));
        Assert.DoesNotContain(Log.Lines, line => line.Contains("failed", StringComparison.Ordinal));
    }
}
