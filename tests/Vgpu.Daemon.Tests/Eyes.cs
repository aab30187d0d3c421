using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Daemon.Tests;

/// <summary>Stock clients that look at a screen: gvnccapture, spicy-screenshot, and a program that asks the browser's console.</summary>
internal sealed class Eyes : IDisposable
{
    private const string Prompt = "Password:";

    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _http;

    /// <param name="certificate">In PEM: the only one that the console may show; null: it speaks plain HTTP.</param>
    public Eyes(string? certificate = null)
    {
        string? hash = certificate is null ? null : X509Certificate2.CreateFromPem(certificate).GetCertHashString();
        _http = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString() == hash } });
    }

    /// <summary>What VNC shows at HOST:PORT; null: it was refused.</summary>
    public Picture? ByVnc(string address, string? password)
    {
        Picture? seen = VncCapture.TryGvnccapture(IPEndPoint.Parse(address), password, out string said);
        Assert.True(said.Contains(Prompt, StringComparison.Ordinal) == password is not null, said);
        return seen;
    }

    /// <summary>The same at a Unix socket, which gvnccapture does not know: through a port that is the test's.</summary>
    public Picture? ByVncSocket(string path)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var relay = new Thread(() =>
        {
            using TcpClient client = listener.AcceptTcpClient();
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(path));
            using var stream = new NetworkStream(socket);
            Task back = stream.CopyToAsync(client.GetStream());
            try
            {
                client.GetStream().CopyTo(stream);
                socket.Shutdown(SocketShutdown.Both);
                back.Wait();
            }
            catch (Exception e) when (e is IOException or AggregateException)
            {
                // It has seen enough, and does not wait for what was on its way.
            }
        })
        { IsBackground = true };
        relay.Start();
        Picture? seen = ByVnc(listener.LocalEndpoint.ToString()!, password: null);
        relay.Join();
        return seen;
    }

    /// <summary>What SPICE shows; null: it was refused.</summary>
    public Picture? BySpice(string uri, string? password = null) => SpiceClient.Screenshot(_folder, uri, out _, SpiceClient.Knowing(password));

    /// <summary>What the browser's console answers, by an address that <c>vgpu view</c> prints or another of its paths.</summary>
    public (HttpStatusCode Status, byte[] Body) ByWeb(string address, string path, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(new Uri(address), path));
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        using HttpResponseMessage response = _http.Send(request);
        using var body = new MemoryStream();
        response.Content.ReadAsStream().CopyTo(body);
        return (response.StatusCode, body.ToArray());
    }

    /// <summary>The token in an address.</summary>
    public static string TokenOf(string address) => new Uri(address).Fragment["#token=".Length..];

    public void Dispose()
    {
        _http.Dispose();
        _folder.Dispose();
    }
}
