using System.Diagnostics;
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
    private const int FirstDisplay = 5900;

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
        string file = _folder.File("vnc.png");
        File.Delete(file);
        IPEndPoint at = IPEndPoint.Parse(address);
        // It asks for a password on a terminal only, which script(1) is.
        var start = new ProcessStartInfo("timeout", ["30", "script", "--quiet", "--command", $"gvnccapture {at.Address}:{at.Port - FirstDisplay} {file}", "/dev/null"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        string said = string.Empty;
        for (int next = process.StandardOutput.Read(); next >= 0; next = process.StandardOutput.Read())
        {
            said += (char)next;
            if (said.EndsWith(Prompt, StringComparison.Ordinal))
            {
                Assert.True(password is not null, "it asks for a password");
                process.StandardInput.WriteLine(password);
                process.StandardInput.Flush();
                password = null;
            }
        }

        process.WaitForExit();
        Assert.True(password is null, $"nobody asked for the password: {said}");
        return File.Exists(file) ? Read(file) : null;
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

    private Picture Read(string file)
    {
        string plain = _folder.File("plain.png");
        (int status, string output) = Shell.Run("convert", file, "-depth", "8", $"PNG24:{plain}");
        Assert.True(status == 0, output);
        return PngReader.Read(File.ReadAllBytes(plain));
    }
}
