using System.Net;

namespace Vgpu.View;

/// <summary>What the viewers' process was asked for.</summary>
/// <param name="RunFolder">The daemon's; absolute.</param>
/// <param name="Web">Where the browser's console listens; null: the usual port of loopback, or another where that is taken.</param>
/// <param name="Verbose">Log more.</param>
internal sealed record ViewOptions(string RunFolder, IPEndPoint? Web, bool Verbose);
