using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Vgpu.Testing;

namespace Vgpu.Viewers.Web.Tests;

public sealed class TlsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void With_a_certificate_everything_is_HTTPS_and_the_cookie_stays_there()
    {
        using X509Certificate2 certificate = Write();
        using var served = new Served(options => options with { CertificateFile = _folder.File("cert.pem"), KeyFile = _folder.File("key.pem"), Address = new IPEndPoint(IPAddress.Any, 0) });
        Assert.Equal("https", served.Uri.Scheme);
        using var http = new HttpClient(new SocketsHttpHandler
        {
            UseCookies = false,
            SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown!.GetCertHashString() == certificate.GetCertHashString() },
        });
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(served.Uri, "/api/session")) { Content = new StringContent($"{{\"token\":\"{Served.Token}\"}}") };
        request.Headers.Add("Origin", served.Origin);
        using HttpResponseMessage answer = http.Send(request);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        string cookie = answer.Headers.GetValues("Set-Cookie").Single();
        Assert.StartsWith("__Host-", cookie, StringComparison.Ordinal);
        Assert.Contains("secure", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("200", served.Raw("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_certificate_that_is_none_is_said_in_one_line()
    {
        File.WriteAllText(_folder.File("cert.pem"), "nothing");
        ArgumentException error = Assert.Throws<ArgumentException>(() => new Served(options => options with { CertificateFile = _folder.File("cert.pem") }));
        Assert.Contains("cert.pem", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        _ = Assert.Throws<ArgumentException>(() => new Served(options => options with { CertificateFile = _folder.File("absent.pem") }));
    }

    private X509Certificate2 Write()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(_folder.File("cert.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(_folder.File("key.pem"), key.ExportPkcs8PrivateKeyPem());
        return certificate;
    }
}
