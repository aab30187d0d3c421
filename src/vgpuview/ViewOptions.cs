using System.Net;

namespace Vgpu.View;

/// <summary>What the viewers' process was asked for.</summary>
/// <param name="RunFolder">The daemon's; absolute.</param>
/// <param name="Web">Where the browser's console listens; null: the usual port of loopback, or another where that is taken.</param>
/// <param name="WebCertificate">The console's certificate in PEM, with its chain; null: plain HTTP.</param>
/// <param name="WebKey">That certificate's key in PEM; null: in the same file.</param>
/// <param name="Verbose">Log more.</param>
internal sealed record ViewOptions(string RunFolder, IPEndPoint? Web, string? WebCertificate, string? WebKey, bool Verbose);
