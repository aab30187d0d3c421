namespace Vgpu.Viewers.Spice;

/// <summary>PEM files, as OpenSSL reads them.</summary>
/// <param name="CertificateFile">The server's certificate, and behind it those that lead to the authority.</param>
/// <param name="KeyFile">Its private key, without a password.</param>
/// <param name="AuthorityFile">The authority's certificate, which clients are given too.</param>
public sealed record SpiceTls(string CertificateFile, string KeyFile, string AuthorityFile);
