using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Vgpu.Api;
using Vgpu.Bus;
using Vgpu.Testing;

namespace Vgpu.Control.Tests;

/// <summary>The API over a fake bus, on real sockets in a folder of its own.</summary>
public sealed class Served : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ControlServer _server;

    public Served(FakeBus? bus = null, MetricsEndpoint? metrics = null, Func<Guid, ViewerAddresses?>? viewers = null)
    {
        Bus = bus ?? new FakeBus();
        // Another user must get in.
        File.SetUnixFileMode(Path.GetDirectoryName(Socket)!, (UnixFileMode)0b111_101_101);
        _server = new ControlServer(Bus, ControlSockets.Listen(Path.GetDirectoryName(Socket)!), Log, metrics, viewers);
        try
        {
            _server.Start();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public IReadOnlyList<string> Routes => _server.Routes;

    public FakeBus Bus { get; }

    public ListLogger Log { get; } = new();

    public string Socket => _folder.File(DaemonPaths.Socket);

    public string ReadOnlySocket => _folder.File(DaemonPaths.ReadOnlySocket);

    /// <summary>An instance of 256 MiB by this name, running.</summary>
    public InstanceView Make(string name, uint? owner = null) =>
        Bus.Create(new CreateRequest { Parent = "software0", Type = "virtio-gpu-256m", Name = name, Owner = owner is uint uid ? new InstanceOwner(uid, uid) : null });

    /// <summary>One request, and what came back.</summary>
    public Answer Ask(string method, string path, string? body = null, bool readOnly = false)
    {
        using HttpClient http = Http(readOnly ? ReadOnlySocket : Socket);
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        using HttpResponseMessage response = http.Send(request);
        return new Answer((int)response.StatusCode, response.Content.Headers.ContentType?.ToString() ?? string.Empty, new StreamReader(response.Content.ReadAsStream()).ReadToEnd());
    }

    /// <summary>Bytes as they are, and all that comes back until the server closes.</summary>
    public string Raw(byte[] bytes)
    {
        using System.Net.Sockets.Socket socket = Connect(Socket);
        _ = socket.Send(bytes);
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

    public static Socket Connect(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(path));
        return socket;
    }

    public static HttpClient Http(string path) =>
        new(new SocketsHttpHandler { ConnectCallback = (_, _) => ValueTask.FromResult<Stream>(new NetworkStream(Connect(path), ownsSocket: true)) }) { BaseAddress = new Uri("http://vgpud/") };

    /// <summary>The server stops, as at the end.</summary>
    public void End() => _server.Dispose();

    public void Dispose()
    {
        End();
        _folder.Dispose();
    }
}

/// <summary>What came back.</summary>
public sealed record Answer(int Status, string MediaType, string Body)
{
    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    /// <summary>Asserts a status and gives the body.</summary>
    public JsonElement Ok(int status = 200)
    {
        Assert.True(Status == status, $"{Status}: {Body}");
        return Json;
    }

    /// <summary>Asserts a problem document of one line with this in it.</summary>
    public void IsProblem(int status, string text, string? error = null)
    {
        Assert.True(Status == status, $"{Status}: {Body}");
        Assert.Equal("application/problem+json", MediaType);
        Assert.Equal(status, Json.GetProperty("status").GetInt32());
        string detail = Json.GetProperty("detail").GetString()!;
        Assert.Contains(text, detail, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', detail);
        Assert.Equal(error, Json.TryGetProperty("error", out JsonElement kind) ? kind.GetString() : null);
    }
}
