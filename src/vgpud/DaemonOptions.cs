using Vgpu.Control;

namespace Vgpu.Daemon;

/// <summary>What the daemon was asked for; all folders are absolute.</summary>
/// <param name="StateFolder">Definitions.</param>
/// <param name="RunFolder">Sockets and the lock.</param>
/// <param name="TreeFolder">Where the sysfs-like tree is mounted.</param>
/// <param name="Metrics">Null: no TCP.</param>
/// <param name="Verbose">Log more.</param>
internal sealed record DaemonOptions(string StateFolder, string RunFolder, string TreeFolder, MetricsEndpoint? Metrics, bool Verbose);
