namespace Vgpu.Viewers.Web.Tests;

/// <summary>What no browser sends: a 4xx or a closed connection, and the next request is answered.</summary>
public sealed class HostileTests : IDisposable
{
    private readonly Served _served = new();

    public void Dispose()
    {
        _ = _served.Ask("GET", "/api/vgpus").Is(200);
        Assert.Empty(_served.Log.Lines);
        _served.Dispose();
    }

    [Theory]
    [InlineData("/../../etc/passwd")]
    [InlineData("/..%2f..%2fetc%2fpasswd")]
    [InlineData("/%2e%2e/%2e%2e/etc/passwd")]
    [InlineData("/....//etc/passwd")]
    [InlineData("/page/index.html")]
    [InlineData("/index.html")]
    [InlineData("//style.css")]
    [InlineData("/style.css/")]
    [InlineData("/novnc/core/rfb.js")]
    [InlineData("/%00")]
    [InlineData("/style.css%00.html")]
    public void Only_the_page_s_files_are_there(string path)
    {
        string answer = _served.Raw($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        Assert.Matches("^HTTP/1.1 40[04] ", answer);
        Assert.DoesNotContain("root:", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST", "/api/vgpus")]
    [InlineData("PUT", "/api/session")]
    [InlineData("DELETE", "/")]
    [InlineData("TRACE", "/")]
    public void Methods_that_do_nothing_there(string method, string path) => _served.Ask(method, path).IsProblem(405, method);

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("""{"token":null}""")]
    [InlineData("""{"token":7}""")]
    [InlineData("""{"token":{"a":[[[[[[1]]]]]]}}""")]
    public void A_body_that_is_no_token(string body) =>
        _served.Ask("POST", "/api/session", token: null, body, ("Origin", _served.Origin)).IsProblem(400, "the body is");

    [Fact]
    public void A_body_without_end() => _ = _served.Ask("POST", "/api/session", token: null, $"{{\"token\":\"{new string('a', 1 << 20)}\"}}", ("Origin", _served.Origin)).Is(413);

    [Fact]
    public void Headers_without_end() =>
        Assert.StartsWith("HTTP/1.1 431 ", _served.Raw($"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: {new string('a', 64 << 10)}\r\n\r\n"), StringComparison.Ordinal);

    [Fact]
    public void Headers_without_number() =>
        Assert.StartsWith("HTTP/1.1 431 ", _served.Raw($"GET / HTTP/1.1\r\nHost: localhost\r\n{string.Concat(Enumerable.Range(0, 100).Select(i => $"X-{i}: 1\r\n"))}\r\n"), StringComparison.Ordinal);

    [Fact]
    public void A_line_without_end() =>
        Assert.StartsWith("HTTP/1.1 414 ", _served.Raw($"GET /{new string('a', 64 << 10)} HTTP/1.1\r\nHost: localhost\r\n\r\n"), StringComparison.Ordinal);

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: local host\r\n\r\n")]
    [InlineData("RFB 003.008\n\r\n\r\n")]
    [InlineData("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")]
    public void Something_else_than_a_request(string bytes) => Assert.StartsWith("HTTP/1.1 4", _served.Raw(bytes), StringComparison.Ordinal);

    [Theory]
    [InlineData("/api/vgpus/desk/thumbnail")]
    [InlineData("/api/vgpus/../vgpus")]
    [InlineData("/api/nothing")]
    public void An_api_that_is_not(string path) => Assert.Contains(_served.Ask("GET", path).Status, new[] { 200, 404 });
}
