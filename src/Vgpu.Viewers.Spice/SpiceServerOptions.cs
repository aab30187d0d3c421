using System.Text;
using Vgpu.Viewers.Spice.Interop;

namespace Vgpu.Viewers.Spice;

/// <summary>How a screen is shown by SPICE.</summary>
public sealed record SpiceServerOptions
{
    /// <summary>What clients show as the title.</summary>
    public required string Name { get; init; }

    /// <summary>Where clients connect.</summary>
    public required SpiceAddress Address { get; init; }

    /// <summary>The ticket that a client has to know, 1 to 60 bytes of UTF-8; null: none, on this machine only.</summary>
    public string? Password { get; init; }

    /// <summary>Every channel over TLS, and no other way in; null: none. Over TCP only.</summary>
    public SpiceTls? Tls { get; init; }

    /// <summary>Whether what clients type and point at reaches the guest, and the size of their window too.</summary>
    public bool TakesInput { get; init; } = true;

    /// <summary>Whether every picture is exact: no video streams, no JPEG on slow lines.</summary>
    public bool IsLossless { get; init; }

    /// <summary>Which of the screen's heads; SPICE's tablet has no way to tell heads apart.</summary>
    public int Head { get; init; }

    // Throws SpiceException where it can't be served so.
    internal void Validate(int headCount)
    {
        if (Head < 0 || Head >= headCount)
        {
            throw new SpiceException($"there is no head {Head}; heads are 0 to {headCount - 1}");
        }

        if (Password is not null && Encoding.UTF8.GetByteCount(Password) is < 1 or > LibSpice.SPICE_MAX_PASSWORD_LENGTH)
        {
            throw new SpiceException($"a SPICE password has 1 to {LibSpice.SPICE_MAX_PASSWORD_LENGTH} bytes");
        }

        if (Password is null && !Address.IsLocal)
        {
            throw new SpiceException($"{Address.ToUri(Tls is not null)} can be reached from other machines: give a password file, or an address of 127.0.0.1");
        }

        if (Tls is null)
        {
            return;
        }

        if (Address.Tcp is null)
        {
            throw new SpiceException("TLS goes over TCP: leave the TLS files out for a Unix socket");
        }

        foreach (string file in (string[])[Tls.CertificateFile, Tls.KeyFile, Tls.AuthorityFile])
        {
            if (!File.Exists(file))
            {
                throw new SpiceException($"there is no file {file}, which TLS needs");
            }
        }
    }
}
