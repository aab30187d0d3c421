using System.Security.Cryptography.X509Certificates;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>What an <see cref="RfbServer"/> shows and whom it lets in.</summary>
public sealed record RfbServerOptions
{
    /// <summary>What viewers put into their titles.</summary>
    public required string Name { get; init; }

    /// <summary>Which head of the screen.</summary>
    public int Head { get; init; }

    /// <summary>
    /// What a viewer must know (VNC Authentication: its first eight bytes count); null: nothing. Some few are no keys for the
    /// cipher: <see cref="RfbServer"/> says so.
    /// </summary>
    public string? Password { get; init; }

    /// <summary>With this one a viewer may look only; null: there is none. Needs <see cref="Password"/>.</summary>
    public string? ViewOnlyPassword { get; init; }

    /// <summary>
    /// With its private key: viewers may come through TLS (VeNCrypt X509None and X509Vnc; TLS without a certificate is not
    /// served, as .NET's has no anonymous kind). Null: no TLS. The caller's to dispose, after the server.
    /// </summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Whether a viewer that does not come through TLS is refused, where there is a certificate.</summary>
    public bool RequiresTls { get; init; } = true;

    /// <summary>Who may type and point.</summary>
    public RfbTyping Typing { get; init; } = RfbTyping.Everybody;

    /// <summary>Whether a viewer that asks to be alone closes the others; else everybody shares, whatever they ask.</summary>
    public bool HonoursExclusive { get; init; }

    /// <summary>Viewers at the same time, those that still say who they are included.</summary>
    public int MaxViewers { get; init; } = 64;

    /// <summary>The most pictures that a viewer is sent in a second.</summary>
    public int MaxFramesPerSecond { get; init; } = 60;

    /// <summary>What the host has for pictures that viewers take with loss; null: all is sent exactly. The caller's.</summary>
    public IPictureCodecs? Codecs { get; init; }

    /// <summary>How long a viewer may take for the handshake, for the rest of a message, and to take what it was sent.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Milliseconds that only grow: what moves and what is still is told by them. A test's own, where it must not depend on its speed.</summary>
    internal Func<long> Clock { get; init; } = static () => Environment.TickCount64;
}
