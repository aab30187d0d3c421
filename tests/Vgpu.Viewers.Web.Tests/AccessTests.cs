using System.Net;
using System.Text.Json;

namespace Vgpu.Viewers.Web.Tests;

/// <summary>Who gets in: tokens, cookies, other sites' pages, names that point here.</summary>
public sealed class AccessTests : IDisposable
{
    private readonly Served _served = new();

    public void Dispose() => _served.Dispose();

    public static TheoryData<string> Guarded => ["/api/session", "/api/vgpus", $"/api/vgpus/{Guid.Empty}/thumbnail", $"/api/vgpus/{Guid.Empty}/picture.png", $"/api/vgpus/{Guid.Empty}/console"];

    [Theory]
    [MemberData(nameof(Guarded))]
    public void Without_a_token_there_is_nothing(string path) => _served.Ask("GET", path, token: null).IsProblem(401, "token");

    [Theory]
    [MemberData(nameof(Guarded))]
    public void A_wrong_token_is_refused(string path) => _served.Ask("GET", path, token: "correct-horse-batterz").IsProblem(401, "not this console's");

    [Theory]
    [InlineData("/")]
    [InlineData("/console")]
    [InlineData("/style.css")]
    [InlineData("/console.js")]
    public void The_shell_is_for_everybody_and_says_nothing(string path)
    {
        _ = _served.Vgpus.Add("secret-name");
        Answer answer = _served.Ask("GET", path, token: null).Is(200);
        Assert.DoesNotContain("secret-name", answer.Text, StringComparison.Ordinal);
        Assert.Contains("default-src 'self'", answer.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Equal("DENY", answer.Header("X-Frame-Options"));
        Assert.Equal("nosniff", answer.Header("X-Content-Type-Options"));
    }

    [Fact]
    public void Tokens_say_who_may_type()
    {
        Assert.True(_served.Ask("GET", "/api/session").Is(200).Json.GetProperty("may_type").GetBoolean());
        Assert.False(_served.Ask("GET", "/api/session", Served.ViewToken).Is(200).Json.GetProperty("may_type").GetBoolean());
    }

    [Fact]
    public void A_token_becomes_a_cookie_that_scripts_and_other_sites_have_not()
    {
        string set = SignIn(Served.ViewToken).Is(204).Header("Set-Cookie");
        Assert.Contains("httponly", set, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", set, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Served.ViewToken, set, StringComparison.Ordinal);
        Assert.False(WithCookie("GET", set.Split(';')[0]).Is(200).Json.GetProperty("may_type").GetBoolean());
    }

    [Fact]
    public void A_cookie_that_was_changed_is_nothing()
    {
        string cookie = _served.Cookie(Served.ViewToken);
        WithCookie("GET", cookie.Replace("=v.", "=f.", StringComparison.Ordinal)).IsProblem(401, "sign in");
        WithCookie("GET", cookie[..^2] + (cookie[^2] == 'A' ? 'B' : 'A') + cookie[^1]).IsProblem(401, "sign in");
        WithCookie("GET", cookie + new string('x', 4000)).IsProblem(401, "sign in");
    }

    [Fact]
    public void A_token_in_an_address_leaves_it_at_once()
    {
        Answer answer = _served.Ask("GET", $"/console?vgpu=a%20b&token={Served.Token}", token: null).Is(303);
        Assert.Equal("/console?vgpu=a%20b#", answer.Header("Location"));
        _ = WithCookie("GET", answer.Header("Set-Cookie").Split(';')[0]).Is(200);
    }

    [Fact]
    public void A_wrong_token_in_an_address_leaves_it_too()
    {
        Answer answer = _served.Ask("GET", "/?token=wrong-wrong-wrong", token: null).Is(303);
        Assert.Equal("/#refused", answer.Header("Location"));
        Assert.False(answer.Headers.ContainsKey("Set-Cookie"));
    }

    [Fact]
    public void Signing_out_takes_the_cookie()
    {
        Answer answer = _served.Ask("DELETE", "/api/session", token: null, body: null, ("Origin", _served.Origin)).Is(204);
        Assert.Contains("max-age=0", answer.Header("Set-Cookie"), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("https://example.org")]
    [InlineData("null")]
    [InlineData("http://localhost:1")]
    [InlineData("https://127.0.0.1")]
    public void Another_site_s_page_changes_nothing(string origin)
    {
        _served.Ask("POST", "/api/session", token: null, Body(Served.Token), ("Origin", origin)).IsProblem(403, "another site");
        _served.Ask("DELETE", "/api/session", token: null, body: null, ("Origin", origin)).IsProblem(403, "another site");
        _served.Ask("GET", "/api/vgpus", Served.Token, body: null, ("Origin", origin)).IsProblem(403, "another site");
    }

    [Fact]
    public void A_change_by_cookie_says_whose_page_it_comes_from() => WithCookie("DELETE", _served.Cookie()).IsProblem(403, "Origin");

    [Theory]
    [InlineData("cross-site")]
    [InlineData("same-site")]
    public void A_browser_s_word_that_a_page_is_another_s_is_taken(string site)
    {
        _served.Ask("GET", "/api/vgpus", Served.Token, body: null, ("Sec-Fetch-Site", site)).IsProblem(403, "another site");
        _served.Ask("GET", $"/?token={Served.Token}", token: null, body: null, ("Sec-Fetch-Site", site)).IsProblem(403, "another site");
        // A link to the page is no harm.
        _ = _served.Ask("GET", "/", token: null, body: null, ("Sec-Fetch-Site", site)).Is(200);
    }

    [Theory]
    [InlineData("rebound.example.org", 421)]
    [InlineData("localhost.example.org", 421)]
    [InlineData("127.0.0.1.example.org:80", 421)]
    [InlineData("localhost", 401)]
    [InlineData("LOCALHOST:8080", 401)]
    [InlineData("127.0.0.1", 401)]
    [InlineData("[::1]:8080", 401)]
    [InlineData("192.168.7.7", 401)]
    public void Names_that_others_made_point_here_are_refused(string host, int status) =>
        _ = _served.Ask("GET", "/api/vgpus", token: null, body: null, ("Host", host)).Is(status);

    [Fact]
    public void A_name_that_was_given_is_ours()
    {
        using var named = new Served(options => options with { HostNames = ["farm.example.org"] });
        _ = named.Ask("GET", "/api/vgpus", Served.Token, body: null, ("Host", "farm.example.org")).Is(200);
        _ = named.Ask("GET", "/api/vgpus", Served.Token, body: null, ("Host", "other.example.org")).Is(421);
    }

    [Fact]
    public void Guessing_gets_slower_and_is_logged_without_what_was_guessed()
    {
        for (int i = 0; i <= GuessGate.FreeMistakes; i++)
        {
            _ = SignIn($"guess-number-{i}-of-many").Is(401);
        }

        Answer answer = SignIn("the-next-guess-of-mine").Is(429);
        Assert.Matches("^[1-9]", answer.Header("Retry-After"));
        answer.IsProblem(429, "try again in");
        _ = _served.Ask("GET", "/api/vgpus", "another-guess-of-mine").Is(429);
        Assert.Equal(3, _served.Log.Count("wrong token"));
        Assert.Equal(0, _served.Log.Count("guess"));
    }

    [Fact]
    public void Who_has_a_cookie_is_not_slowed_by_guessers()
    {
        string cookie = _served.Cookie();
        for (int i = 0; i <= GuessGate.FreeMistakes; i++)
        {
            _ = SignIn($"guess-number-{i}-of-many");
        }

        _ = WithCookie("GET", cookie).Is(200);
    }

    [Theory]
    [InlineData("short")]
    [InlineData("has a blank in the midst")]
    [InlineData("has-ünicode-letters-in-it")]
    public void A_poor_token_is_no_token(string token) =>
        Assert.Throws<ArgumentException>(() => new Served(options => options with { Token = token }));

    [Fact]
    public void Plain_HTTP_stays_at_home_unless_it_is_allowed()
    {
        var anywhere = new IPEndPoint(IPAddress.Any, 0);
        ArgumentException error = Assert.Throws<ArgumentException>(() => new Served(options => options with { Address = anywhere }));
        Assert.Contains("beyond loopback", error.Message, StringComparison.Ordinal);
        using var allowed = new Served(options => options with { Address = anywhere, AllowsPlain = true });
        _ = allowed.Ask("GET", "/api/vgpus").Is(200);
    }

    private Answer SignIn(string token) => _served.Ask("POST", "/api/session", token: null, Body(token), ("Origin", _served.Origin));

    private Answer WithCookie(string method, string cookie) => _served.Ask(method, "/api/session", token: null, body: null, ("Cookie", cookie));

    private static string Body(string token) => JsonSerializer.Serialize(new { token });
}
