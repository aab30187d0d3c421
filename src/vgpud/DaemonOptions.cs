using Vgpu.Control;

namespace Vgpu.Daemon;

/// <summary>What the daemon was asked for; all folders are absolute.</summary>
/// <param name="StateFolder">Definitions.</param>
/// <param name="RunFolder">Sockets and the lock.</param>
/// <param name="TreeFolder">Where the sysfs-like tree is mounted.</param>
/// <param name="Metrics">Null: no TCP.</param>
/// <param name="Viewers">What the viewers' process is told; null: there is none.</param>
/// <param name="Verbose">Log more.</param>
internal sealed record DaemonOptions(string StateFolder, string RunFolder, string TreeFolder, MetricsEndpoint? Metrics, IReadOnlyList<string>? Viewers, bool Verbose);
