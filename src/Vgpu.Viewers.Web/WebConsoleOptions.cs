using System.Net;
using Vgpu.Screens;

namespace Vgpu.Viewers.Web;

/// <summary>Where the console listens and whom it lets in.</summary>
public sealed record WebConsoleOptions
{
    /// <summary>The shortest token, in characters. Tokens are bearers of everything: take 128 random bits or more.</summary>
    public const int LeastTokenLength = 16;

    /// <summary>The port 0: any that is free. Beyond loopback only with a certificate or <see cref="AllowsPlain"/>.</summary>
    public IPEndPoint Address { get; init; } = new(IPAddress.Loopback, 0);

    /// <summary>Who shows this may look and type.</summary>
    public required string Token { get; init; }

    /// <summary>Who shows this may look; null: there is no such token.</summary>
    public string? ViewToken { get; init; }

    /// <summary>A certificate, with its chain, in PEM; null: plain HTTP.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>The certificate's key in PEM; null: it is in <see cref="CertificateFile"/>.</summary>
    public string? KeyFile { get; init; }

    /// <summary>Plain HTTP beyond loopback, where whoever carries the packets reads token, screen and keys.</summary>
    public bool AllowsPlain { get; init; }

    /// <summary>
    /// Names, besides <c>localhost</c> and addresses in numbers, by which a browser may ask: any other name may be a
    /// stranger's that was made to point here (DNS rebinding).
    /// </summary>
    public IReadOnlyList<string> HostNames { get; init; } = [];

    /// <summary>The most screens that are watched at a time, all vGPUs together. 1 or more.</summary>
    public int MostSessions { get; init; } = 64;

    /// <summary>What the host has for pictures that browsers take with loss; null: all is sent exactly. The caller's.</summary>
    public IPictureCodecs? Codecs { get; init; }

    /// <summary>Throws <see cref="ArgumentException"/> with a line for the operator.</summary>
    internal void Validate()
    {
        RequireToken(Token);
        if (ViewToken is not null)
        {
            RequireToken(ViewToken);
            Require(ViewToken != Token, "the token for viewing must differ from the other");
        }

        Require(MostSessions >= 1, "at least one session must be allowed");
        Require(KeyFile is null || CertificateFile is not null, "a key file needs a certificate file");
        Require(
            IPAddress.IsLoopback(Address.Address) || CertificateFile is not null || AllowsPlain,
            $"{Address.Address} is beyond loopback, and plain HTTP shows token and screen to everybody on the way; give a certificate, or allow plain HTTP");

        static void RequireToken(string token) => Require(
            token is not null && token.Length >= LeastTokenLength && token.All(letter => letter is > ' ' and <= '~'),
            $"a token has {LeastTokenLength} or more printable ASCII characters, without blanks");

        static void Require(bool holds, string line)
        {
            if (!holds)
            {
                throw new ArgumentException(line);
            }
        }
    }
}
