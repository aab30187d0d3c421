using Microsoft.Extensions.Logging;
using Vgpu.Bus;

namespace Vgpu.Daemon;

/// <summary>The one place that says what the daemon is made of: the bus, its workers' host and its tree.</summary>
internal static class Composition
{
    /// <summary>Opens the bus. A disposable one is disposed when the daemon ends. Throws <see cref="IOException"/> and <see cref="BusException"/>.</summary>
    internal static IBus OpenBus(DaemonOptions options, ILogger log) => new EmptyBus();
}
